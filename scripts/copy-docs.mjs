// The pages of docs/ for the package that ships them: `node scripts/copy-docs.mjs FOLDER` fills the folder anew.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './process.mjs';

const link = /(?<!!)\[(?<words>[^\]]*)\]\((?<to>[^)\s]+)\)/g;
const picture = /^!\[[^\]]*\]\([^)\s]+\)\n\n/gm;

/**
 * @param {string} text
 * @param {string} page its path in docs/
 * @returns {string} as it is shipped: what it links outside docs/ isn't in the package, so that only the words stay, and
 *   pictures, which no terminal shows, aren't either
 */
export function withoutOutside(text, page) {
  return text
    .replace(picture, '')
    .replace(link, (whole, words, to) =>
      path.posix.join(path.posix.dirname(page), to).startsWith('../') ? words : whole,
    );
}

/** @param to the folder, emptied first */
export function copyDocs(to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const from = path.join(root, 'docs');
  const pages = readdirSync(from, { recursive: true }).filter((file) => file.endsWith('.md'));
  for (const page of pages) {
    mkdirSync(path.join(to, path.dirname(page)), { recursive: true });
    writeFileSync(path.join(to, page), withoutOutside(readFileSync(path.join(from, page), 'utf8'), page));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) copyDocs(path.resolve(process.argv[2]));
