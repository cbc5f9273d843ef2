/** Builds core, certs and pool as programs outside the workspace have them: from the sources, in a `node_modules`. */
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { copyDocs } from '../../../scripts/copy-docs.mjs';

const packages = fileURLToPath(new URL('../../../packages', import.meta.url));

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** @param folder the `node_modules/@knsock` to fill */
export async function buildPackages(folder: string): Promise<void> {
  await Promise.all(['core', 'certs', 'pool'].map((name) => buildPackage(name, path.join(folder, name))));
}

async function buildPackage(name: string, to: string): Promise<void> {
  const from = path.join(packages, name);
  await mkdir(to, { recursive: true });
  await copyFile(path.join(from, 'package.json'), path.join(to, 'package.json'));
  if (name === 'core') copyDocs(path.join(to, 'docs'));
  await build({
    config: false,
    silent: true,
    entry: await entriesOf(from),
    outDir: path.join(to, 'dist'),
    format: ['esm'],
    platform: 'node',
    target: 'node20.19',
    splitting: true,
    removeNodeProtocol: false,
    external: [/^@knsock\//],
    noExternal: [/^(?!@knsock\/)/],
    banner: {
      js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);",
    },
  });
}

/** Every entry point that the package offers: its name in `dist`, and its source. */
async function entriesOf(folder: string): Promise<Record<string, string>> {
  const { exports } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as Manifest;
  const targets = Object.values(exports).filter((target) => typeof target !== 'string');
  return Object.fromEntries(
    targets.map((target) => [
      path.basename(target['default'] ?? '', '.js'),
      path.join(folder, target['@knsock/source'] ?? ''),
    ]),
  );
}
