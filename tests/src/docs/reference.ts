// Pages that are made in part, between markers.

import { typographic } from './apostrophes.js';

/** The page with its generated parts replaced. */
export function withReference(page: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end: ${name} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`the page has no place for ${name}`);
    return `${text.slice(0, from + begin.length)}\n\n${typographic(part)}\n${text.slice(to)}`;
  }, page);
}
