// The public symbols of each module, by kind, as typedoc has given them pages.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** The folder of each kind, and its title, in the order in which readers look. */
const kinds = {
  functions: 'Functions',
  classes: 'Classes',
  interfaces: 'Interfaces',
  'type-aliases': 'Types',
  variables: 'Constants',
};

/** One page of the reference. @typedef {{ text: string, link: string }} Page */
/** @typedef {{ text: string, items: Page[] }} Kind */
/** A module with its symbols. @typedef {Page & { kinds: Kind[] }} Module */

/**
 * @param {string} folder of the API's pages
 * @param {readonly string[]} modules their names
 * @returns {Module[]}
 */
export function publicSymbols(folder, modules) {
  return modules.map((module) => ({
    text: module,
    link: `/api/${module}/`,
    kinds: Object.entries(kinds).flatMap(([kind, text]) => {
      const items = pagesIn(path.join(folder, module, kind), `/api/${module}/${kind}`);
      return items.length === 0 ? [] : [{ text, items }];
    }),
  }));
}

/**
 * What stands beside the API's pages: modules that open, with their symbols by kind.
 * @param {readonly Module[]} modules
 * @returns {(Page & { collapsed: boolean, items: Kind[] })[]}
 */
export function symbolContents(modules) {
  return modules.map(({ text, link, kinds: groups }) => ({
    text,
    link,
    collapsed: true,
    items: groups,
  }));
}

/**
 * The list of all symbols for the first page of the API, as Markdown.
 * @param {readonly Module[]} modules
 */
export function symbolList(modules) {
  const sections = modules.map(({ text, link, kinds: groups }) =>
    [
      `## [${text}](${link.slice('/api/'.length)}index.md)`,
      ...groups.map((group) => `**${group.text}:** ${group.items.map(markdownLink).join(', ')}`),
    ].join('\n\n'),
  );
  return `# API\n\n${sections.join('\n\n')}\n`;
}

function markdownLink({ text, link }) {
  return `[${text}](${link.slice('/api/'.length)}.md)`;
}

function pagesIn(folder, link) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((file) => file.endsWith('.md'));
  return names
    .map((file) => path.basename(file, '.md'))
    .sort((one, other) => one.localeCompare(other, 'en'))
    .map((text) => ({ text, link: `${link}/${text}` }));
}
