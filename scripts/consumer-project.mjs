// An empty project that uses packages as their users do; its programs come from tests/consumers.
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './process.mjs';

const programs = path.join(root, 'tests', 'consumers');
const common = ['tsconfig.json', 'entries.mjs', 'entries.cjs', 'command.mjs'];

/**
 * Fills the folder, and returns what to run in it once the packages are installed: every entry point from each kind
 * of module, the programs named after a package (`core.mjs`, `core.cjs`; `core.mts` is checked only), its commands.
 */
export function createProject(place, packages) {
  const manifests = packages.map(({ manifest }) => manifest);
  const names = manifests.map(({ name }) => name.split('/')[1]);
  const own = readdirSync(programs).filter((file) => names.includes(path.parse(file).name));
  for (const file of [...common, ...own]) copyFileSync(path.join(programs, file), path.join(place, file));
  writeFileSync(path.join(place, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  const entries = manifests.flatMap(entryPoints);
  writeTypeScript(place, entries);
  return [
    program(place, 'entries.mjs', ...entries),
    program(place, 'entries.cjs', ...entries),
    { name: 'TypeScript', command: 'tsc', args: ['-p', '.', ...nodeTypes], cwd: place },
    ...own.filter((file) => /\.[cm]js$/.test(file)).map((file) => program(place, file)),
    ...manifests.flatMap((manifest) => commands(place, manifest)),
  ];
}

// The one thing borrowed from the workspace: users install @types/node themselves.
const nodeTypes = ['--typeRoots', path.join(root, 'node_modules', '@types'), '--types', 'node'];

function entryPoints({ name, exports }) {
  // Pages and data are for reading, not for importing.
  const keys = Object.keys(exports).filter((key) => !key.endsWith('.json') && !key.includes('*'));
  return keys.map((key) => name + key.slice(1));
}

function writeTypeScript(place, entries) {
  const esm = entries.map(
    (entry, index) => `import * as entry${index} from '${entry}';\nvoid entry${index};\n`,
  );
  const cjs = entries.map(
    (entry, index) => `import entry${index} = require('${entry}');\nvoid entry${index};\n`,
  );
  writeFileSync(path.join(place, 'all-entries.mts'), esm.join(''));
  writeFileSync(path.join(place, 'all-entries.cts'), cjs.join(''));
}

function program(cwd, file, ...args) {
  return { name: [file, ...args].join(' '), command: process.execPath, args: [file, ...args], cwd };
}

function commands(place, { bin = {}, version }) {
  return Object.keys(bin).map((name) => program(place, 'command.mjs', name, version));
}
