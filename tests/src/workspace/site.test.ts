import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sidebar } from '../../../scripts/site/contents.mjs';
import { findLostAnchors } from '../../../scripts/site/links.mjs';
import { copyPages } from '../../../scripts/site/pages.mjs';
import { publicSymbols, symbolContents, symbolList } from '../../../scripts/site/symbols.mjs';
import { anchor } from '../../../site/anchor.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'knsock-site-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const read = (page: string) => readFileSync(path.join(folder, page), 'utf8');

describe('the site', () => {
  it('has every page in the layout of the repository, a README as the index of its folder', () => {
    const pages = copyPages(folder);
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/trust.md', 'packages/core/README.md']));
    expect(read('docs/index.md')).toContain('](../index.md)');
    expect(read('docs/index.md')).not.toContain('README.md)');
  });

  it('links no source file, since only pages are there', () => {
    const pages = copyPages(folder);
    const links = pages.flatMap((page) => [
      ...read(page.replace('README.md', 'index.md')).matchAll(/(?<!!)\]\((?!https?:)([^)#\s]+)[^)\s]*\)/g),
    ]);
    expect(links.length).toBeGreaterThan(50);
    expect(links.map(([, to]) => to).filter((to) => /\.(ts|py|mjs)$/.test(to ?? ''))).toEqual([]);
  });

  it('gives every page of docs a place in its contents, and refuses one without', () => {
    const pages = copyPages(folder);
    const contents = JSON.stringify(sidebar(pages, []));
    expect(contents).toContain('"/docs/trust"');
    expect(() => sidebar([...pages, 'docs/new.md'], [])).toThrow('docs/new.md');
  });

  it('lists the symbols of each module by kind, beside the pages of the API and on its first', () => {
    const pages = ['core/functions/listen', 'core/functions/connect', 'core/errors/classes/ConnectionError'];
    for (const page of pages) {
      mkdirSync(path.dirname(path.join(folder, page)), { recursive: true });
      writeFileSync(path.join(folder, `${page}.md`), '');
    }
    const modules = publicSymbols(folder, ['core', 'core/errors']);
    expect(symbolContents(modules)[0]).toEqual({
      text: 'core',
      link: '/api/core/',
      collapsed: true,
      items: [
        {
          text: 'Functions',
          items: [
            { text: 'connect', link: '/api/core/functions/connect' },
            { text: 'listen', link: '/api/core/functions/listen' },
          ],
        },
      ],
    });
    expect(symbolList(modules)).toContain('## [core/errors](core/errors/index.md)');
    expect(symbolList(modules)).toContain('[ConnectionError](core/errors/classes/ConnectionError.md)');
  });

  it("finds links to headings that aren't there", () => {
    mkdirSync(path.join(folder, 'docs'));
    const page = (text: string) => `<body>${text}</body>`;
    writeFileSync(path.join(folder, 'index.html'), page('<h1 id="top">a</h1><a href="./docs/a.html#here">'));
    const broken =
      '<h2 id="here">b</h2><a href="#gone"></a><a href="/index.html#top"></a><a href="../#lost"></a>';
    writeFileSync(path.join(folder, 'docs/a.html'), page(broken));
    expect(findLostAnchors(folder)).toEqual({
      links: 4,
      lost: ['docs/a.html links docs/a.html#gone', 'docs/a.html links index.html#lost'],
    });
  });

  it('makes anchors as Git hosts do', () => {
    expect(['KNSOCK_PORT_IN_USE', '`knsock check`: what it finds', "What's new?"].map(anchor)).toEqual([
      'knsock_port_in_use',
      'knsock-check-what-it-finds',
      'whats-new',
    ]);
  });
});
