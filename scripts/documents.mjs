// The Markdown files that readers open: at the root, in docs/ and its chapters, and those of each package and example.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './process.mjs';

/** @returns {string[]} paths from the workspace's folder, with forward slashes; change logs are made and left out */
export function documentFiles() {
  const folders = [
    '',
    'docs',
    ...foldersIn('docs'),
    'examples',
    ...foldersIn('packages'),
    ...foldersIn('examples'),
  ];
  return folders.flatMap(markdownIn);
}

/**
 * @param {string} folder from the workspace's folder
 * @returns {string[]} its own Markdown files
 */
export function markdownIn(folder) {
  return readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
    .map((name) => path.posix.join(folder, name));
}

function foldersIn(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .map(({ name }) => `${folder}/${name}`);
}
