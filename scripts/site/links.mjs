// Links of the built site: VitePress refuses those to pages that aren't there, and this finds headings that aren't.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const href = /\shref="(?<to>[^"#]*)#(?<heading>[^"]+)"/g;
const id = /\sid="([^"]+)"/g;

/**
 * @param {string} folder the built site
 * @returns {{ links: number, lost: string[] }} how many links name a heading, and those that name one that isn't there
 */
export function findLostAnchors(folder) {
  const pages = readPages(folder);
  const links = [...pages].flatMap(([page, { anchors }]) =>
    anchors.map(({ to, heading }) => ({ page, target: targetOf(page, to), heading })),
  );
  const lost = links.filter(({ target, heading }) => pages.get(target)?.ids.has(heading) !== true);
  return {
    links: links.length,
    lost: lost.map(({ page, target, heading }) => `${page} links ${target}#${heading}`),
  };
}

function readPages(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'));
  return new Map(
    files.map((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8');
      const anchors = [...text.matchAll(href)]
        .map(({ groups }) => ({ to: groups.to, heading: decodeURIComponent(groups.heading) }))
        .filter(({ to }) => !/^[a-z]+:/.test(to));
      const ids = new Set([...text.matchAll(id)].map(([, name]) => name));
      return [file.replaceAll(path.sep, '/'), { ids, anchors }];
    }),
  );
}

function targetOf(page, to) {
  if (to === '') return page;
  const place = path.posix.resolve('/', path.posix.dirname(page), decodeURIComponent(to)).slice(1);
  return to.endsWith('/') ? path.posix.join(place, 'index.html') : place;
}
