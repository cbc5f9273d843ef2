/** Builds the command once for all tests: a process from the sources themselves takes a second to begin. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The built entry of the command. */
    knsock: string;
  }
}

const cli = fileURLToPath(new URL('../../../packages/cli', import.meta.url));

export default async function buildCommand({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-command-'));
  const outDir = path.join(folder, 'dist');
  await copyFile(path.join(cli, 'package.json'), path.join(folder, 'package.json'));
  await build({
    config: false,
    silent: true,
    entry: { bin: path.join(cli, 'src/bin.ts') },
    outDir,
    format: ['esm'],
    platform: 'node',
    target: 'node20.19',
    splitting: true,
    removeNodeProtocol: false,
    noExternal: [/./],
    banner: {
      js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);",
    },
    esbuildOptions: (options) => {
      options.conditions = ['@knsock/source'];
    },
  });
  provide('knsock', path.join(outDir, 'bin.js'));
  return () => rm(folder, { recursive: true });
}
