// The pages of docs/ for the package that ships them: `node scripts/copy-docs.mjs FOLDER` fills the folder anew.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './process.mjs';

/** What only the tests and the generators of the pages read: names of programs and of generated parts. */
const marks = /^<!-- .* -->\n\n?|(?<=^```\w+) .*/gm;
const link = /(?<!!)\[(?<words>[^\]]*)\]\((?<to>[^)\s]+)\)/g;
/** Pages for a clone of the repository alone: its benchmarks can't be run elsewhere. */
const unshipped = ['performance.md'];

/**
 * @param {string} text
 * @param {string} page its path in docs/
 * @returns {string} as it is shipped: without marks for tests, and with words in place of links to what the package doesn't have
 */
export function shippedText(text, page) {
  return text.replace(marks, '').replace(link, (whole, words, to) => {
    const [target] = path.posix.join(path.posix.dirname(page), to).split('#', 1);
    return target.startsWith('../') || unshipped.includes(target) ? words : whole;
  });
}

/** @param to the folder, emptied first */
export function copyDocs(to) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  const from = path.join(root, 'docs');
  const pages = readdirSync(from, { recursive: true }).filter(
    (file) => file.endsWith('.md') && !unshipped.includes(file),
  );
  for (const page of pages) {
    mkdirSync(path.join(to, path.dirname(page)), { recursive: true });
    writeFileSync(path.join(to, page), shippedText(readFileSync(path.join(from, page), 'utf8'), page));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) copyDocs(path.resolve(process.argv[2]));
