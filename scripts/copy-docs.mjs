// The pages of docs/ for the package that ships them: `node scripts/copy-docs.mjs FOLDER` fills the folder anew.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './process.mjs';

/**
 * @param {string} text a page, as in docs/
 * @returns {string} as it is shipped: what it links outside docs/ isn't in the package, so that only the words stay
 */
export function withoutOutside(text) {
  return text.replace(/(?<!!)\[([^\]]*)\]\(\.\.\/[^)]*\)/g, '$1');
}

/** @param to the folder, emptied first */
export function copyDocs(to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const from = path.join(root, 'docs');
  for (const name of readdirSync(from).filter((file) => /\.(md|svg)$/.test(file))) {
    writeFileSync(path.join(to, name), withoutOutside(readFileSync(path.join(from, name), 'utf8')));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) copyDocs(path.resolve(process.argv[2]));
