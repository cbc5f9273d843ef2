// An example, copied into an empty folder as a stranger would.
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './process.mjs';

const folder = path.join(root, 'examples');

/** The examples, in the order of their names. */
export function exampleNames() {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** What an example needs to run. */
export function exampleDependencies(name) {
  return Object.keys(manifestOf(name).dependencies);
}

/** Fills a folder, and returns what to run in it once everything is installed. */
export function copyExample(place, name) {
  const files = readdirSync(path.join(folder, name), { withFileTypes: true }).filter((file) => file.isFile());
  for (const file of files) copyFileSync(path.join(folder, name, file.name), path.join(place, file.name));
  return ['start', 'test']
    .filter((script) => script in manifestOf(name).scripts)
    .map((script) => ({ name: `npm ${script}`, command: 'npm', args: [script], cwd: place }));
}

function manifestOf(name) {
  return JSON.parse(readFileSync(path.join(folder, name, 'package.json'), 'utf8'));
}
