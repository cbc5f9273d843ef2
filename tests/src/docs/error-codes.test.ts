import { expect, it } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readDocument, workspace } from './documents.js';
import { anchors } from './links.js';

const page = readDocument('docs/errors.md');

// The codes that a package's sources name: keys of its tables and literals.
function codesOf(name: string): string[] {
  const source = path.join(workspace, 'packages', name, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const texts = files.filter(isSource).map((file) => readFileSync(path.join(source, file), 'utf8'));
  const found = texts.flatMap((text) => text.match(/\bKNSOCK_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []);
  return [...new Set(found)].sort();
}

function isSource(file: string): boolean {
  return file.endsWith('.ts') && !file.endsWith('.test.ts');
}

it.each(['core', 'certs', 'pool'])('every error code of %s has its section in docs/errors.md', (name) => {
  const described = anchors(page.text);
  expect(codesOf(name).filter((code) => !described.has(code.toLowerCase()))).toEqual([]);
});

it('finds the codes it looks for', () => {
  expect(codesOf('core')).toContain('KNSOCK_PORT_IN_USE');
});

it('every section says what usually causes the error and what to do', () => {
  const sections = page.text.split(/^### /m).slice(1);
  const bare = sections.filter((text) => !/\*\*Usual causes:\*\*[^]*\*\*What to do:\*\*/.test(text));
  expect(bare.map((text) => text.split('\n')[0])).toEqual([]);
});

it('describes no code twice', () => {
  const titles = [...page.text.matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  expect(new Set(titles).size).toBe(titles.length);
});
