/** Builds the command once for all tests: a process from the sources themselves takes a second to begin. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import type { TestProject } from 'vitest/node';
import { bundles } from '../../../packages/cli/tsup.config.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The entry of the command. */
    knsock: string;
  }
}

const cli = fileURLToPath(new URL('../../../packages/cli', import.meta.url));

/** Laid out as the package is, but with everything inside, so that no other package has to be built. */
export default async function buildCommand({ provide }: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-command-'));
  await mkdir(path.join(folder, 'bin'));
  for (const file of ['package.json', 'bin/knsock.cjs', 'bin/compiled.cjs'])
    await copyFile(path.join(cli, file), path.join(folder, file));
  const outDir = path.join(folder, 'dist');
  const tsconfig = path.join(cli, 'tsconfig.build.json');
  const common = {
    config: false,
    silent: true,
    clean: false,
    dts: false,
    noExternal: [/./],
    outDir,
    tsconfig,
  };
  for (const bundle of bundles(cli)) await build({ ...bundle, ...common });
  provide('knsock', path.join(folder, 'bin', 'knsock.cjs'));
  return () => rm(folder, { recursive: true });
}
