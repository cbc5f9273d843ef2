// The pages of the site: the Markdown files of the repository, in its own layout, so that their links hold.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { documentFiles } from '../documents.mjs';
import { publishedPackages } from '../packages.mjs';
import { root } from '../process.mjs';

/** As the manifests have it, which `npm run format` gives the project's address; empty while there is none. */
const repositoryAddress = (publishedPackages()[0]?.manifest.homepage ?? '').replace(/#readme$/, '');

const link = /(?<!!)\[(?<words>[^\]]*)\]\((?<to>[^)\s]+)\)/g;
const elsewhere = /^([a-z][a-z+.-]*:|#)/i;

/**
 * Copies every page, its links adapted: a README is its folder's index, and what is no page (a source file) is linked
 * in the repository, or only named while that has no address.
 * @param {string} folder where to
 * @returns {string[]} the pages, from the workspace's folder
 */
export function copyPages(folder) {
  const pages = documentFiles();
  for (const page of pages) {
    const to = path.join(folder, asIndex(page));
    mkdirSync(path.dirname(to), { recursive: true });
    writeFileSync(to, withLinks(readFileSync(path.join(root, page), 'utf8'), page, pages));
  }
  copyFileSync(path.join(root, 'docs/performance.svg'), path.join(folder, 'docs/performance.svg'));
  return pages;
}

/** @returns {string} the first heading of a page, as far as its first pause */
export function titleOf(page) {
  const text = readFileSync(path.join(root, page), 'utf8');
  const [, title = page] = /^# +(.+?)(?:: .*|, and .*)?$/m.exec(text) ?? [];
  return title.replaceAll('`', '');
}

function asIndex(page) {
  return page.replace(/(^|\/)README\.md(?=$|#)/, '$1index.md');
}

function withLinks(text, page, pages) {
  return text.replace(link, (whole, words, to) => {
    if (elsewhere.test(to)) return whole;
    const [file, heading] = to.split('#');
    const target = path.posix.join(path.posix.dirname(page), file);
    if (pages.includes(target)) return `[${words}](${asIndex(to)})`;
    if (file.endsWith('.svg')) return whole;
    const address = `${repositoryAddress}/blob/HEAD/${target}${heading === undefined ? '' : `#${heading}`}`;
    return repositoryAddress === '' ? words : `[${words}](${address})`;
  });
}
