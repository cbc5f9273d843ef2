/** Builds the packages once for all tests: a process from the sources themselves takes a second to begin. */
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import type { TestProject } from 'vitest/node';
import { bundles } from '../../../packages/cli/tsup.config.js';
import { buildPackages } from './built-packages.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The entry of the command. */
    knsock: string;
    /** A folder whose `node_modules` holds the packages as they are built, for programs to be run in. */
    programs: string;
  }
}

const cli = fileURLToPath(new URL('../../../packages/cli', import.meta.url));
const installed = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** What programs in documents use beside our own packages. */
const shownInDocuments = ['express', 'undici'];

/** Laid out as the packages are; the command has everything inside but certs. */
export default async function buildOnce({ provide }: TestProject): Promise<() => Promise<void>> {
  // What this machine trusts besides is no part of a test, and Node reads it at the start of every process.
  delete process.env['NODE_EXTRA_CA_CERTS'];
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-built-'));
  const scope = path.join(folder, 'node_modules', '@knsock');
  await Promise.all([buildPackages(scope), buildCommand(path.join(scope, 'cli'))]);
  for (const name of shownInDocuments)
    await symlink(path.join(installed, name), path.join(folder, 'node_modules', name), 'dir');
  provide('programs', folder);
  provide('knsock', path.join(scope, 'cli/bin/knsock.cjs'));
  return () => rm(folder, { recursive: true });
}

async function buildCommand(folder: string): Promise<void> {
  await mkdir(path.join(folder, 'bin'), { recursive: true });
  for (const file of ['package.json', 'bin/knsock.cjs', 'bin/compiled.cjs'])
    await copyFile(path.join(cli, file), path.join(folder, file));
  const outDir = path.join(folder, 'dist');
  const tsconfig = path.join(cli, 'tsconfig.build.json');
  const common = {
    config: false,
    silent: true,
    clean: false,
    dts: false,
    // As in the package itself: certs is loaded by the few commands that need it.
    external: [/^@knsock\/certs/],
    noExternal: [/^(?!@knsock\/certs)/],
    outDir,
    tsconfig,
  };
  for (const bundle of bundles(cli)) await build({ ...bundle, ...common });
}
