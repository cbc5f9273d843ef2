import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDocument, readDocuments, workspace, type Document } from './documents.js';
import { anchors, pointers, type Pointer } from './links.js';

function broken(document: Document): string[] {
  return pointers(document)
    .filter((pointer) => !leadsSomewhere(document, pointer))
    .map(({ to }) => `${document.path} points at ${to}, which doesn't exist`);
}

function leadsSomewhere(document: Document, { file, heading }: Pointer): boolean {
  if (file === document.path) return heading === undefined || anchors(document.text).has(heading);
  if (!existsSync(path.join(workspace, file))) return false;
  return heading === undefined || !file.endsWith('.md') || anchors(readDocument(file).text).has(heading);
}

it.each(readDocuments())('$path points only at files and headings that exist', (document) => {
  expect(broken(document)).toEqual([]);
});

it('docs/README.md lists every document beside it, and that of a folder its chapters', () => {
  const indexes = readDocuments().filter(({ path: file }) => /^docs\/(?:.+\/)?README\.md$/.test(file));
  expect(indexes.length).toBeGreaterThan(1);
  const listed = ['docs/README.md', ...indexes.flatMap(pointers).map(({ file }) => file)];
  const documents = readDocuments().filter(({ path: file }) => file.startsWith('docs/'));
  expect(documents.length).toBeGreaterThan(10);
  const missing = documents.filter(({ path: file }) => !listed.includes(file));
  expect(missing.map(({ path: file }) => file)).toEqual([]);
});

describe('the check itself', () => {
  const about = (text: string) => broken({ path: 'docs/made-up.md', text });

  it.each([
    'See [the page](errors.md#knsock_port_in_use).',
    'See [below](#a-heading).\n\n## A heading\n',
    'See [the site](https://example.org/nothing.md) and `packages/core/src/index.ts`.',
    '```\n[an example](of-markdown.md)\n```\n',
  ])('accepts: %s', (text) => {
    expect(about(text)).toEqual([]);
  });

  it.each([
    'See [the page](no-such-page.md).',
    'See [the page](errors.md#knsock_no_such_code).',
    'See [below](#another-heading).\n\n## A heading\n',
    'It is decided in `packages/core/src/no-such-file.ts`.',
  ])('refuses: %s', (text) => {
    expect(about(text)).toHaveLength(1);
  });
});
