import { describe, expect, it } from 'vitest';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readDocument, workspace } from './documents.js';
import { errorPage } from './error-page.js';
import { errorSources } from './error-sources.js';
import { errorEntries, parseEntry, readErrorTable } from './error-table.js';
import { anchors } from './links.js';
import { withReference } from './reference.js';

const page = readDocument('docs/errors.md');

// The codes that a package's sources name: keys of its tables and literals.
function codesOf(name: string, isWanted = (_file: string): boolean => true): string[] {
  const source = path.join(workspace, 'packages', name, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const texts = files
    .filter((file) => isSource(file) && isWanted(file))
    .map((file) => readFileSync(path.join(source, file), 'utf8'));
  const found = texts.flatMap((text) => text.match(/\bKNSOCK_[A-Z0-9_]*[A-Z0-9]\b/g) ?? []);
  return [...new Set(found)].sort();
}

function isSource(file: string): boolean {
  return file.endsWith('.ts') && !file.endsWith('.test.ts');
}

// What code writes in two parts, such as a beginning and a reason, and what only peers of other makes say.
const composed = /^KNSOCK_((PEER|HANDSHAKE|CREDENTIALS)_|LIMIT_REACHED$)/;

function isComposed(code: string): boolean {
  return composed.test(code);
}

// The codes that a package's sources name elsewhere than in what is made from the table.
function codesNamed(name: string): string[] {
  return codesOf(
    name,
    (file) => !/(^|\/)(codes|causes|error-codes|exit-code-table|hint-table)\.ts$/.test(file),
  );
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

const table = readErrorTable();
const sources = await errorSources(table);

describe('the table of errors', () => {
  it.each([...sources])('%s is made from it (npm run format writes it)', (file, made) => {
    expect(readFileSync(path.join(workspace, file), 'utf8')).toBe(made);
  });

  it('docs/errors.md is made from it (npm run format writes it)', () => {
    expect(page.text).toBe(withReference(page.text, errorPage(table)));
  });

  it('holds nothing that no package raises', () => {
    const raised = new Set(['core', 'certs', 'pool', 'cli'].flatMap(codesNamed));
    const codes = table.topics.flatMap(({ entries }) => entries.map(({ code }) => code));
    expect(codes.filter((code) => !raised.has(code) && !isComposed(code))).toEqual([]);
  });

  it('gives every error of the command an exit code that says more than “unexpected” where one fits', () => {
    const entries = errorEntries(table).filter(({ code }) => code.endsWith('_TIMEOUT'));
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.filter(({ exit }) => exit !== 28)).toEqual([]);
  });

  const whole = {
    side: 'local',
    exit: 7,
    hint: 'Try again.',
    why: 'it failed',
    meaning: 'It failed.',
    causes: 'a failure.',
    fix: 'try again.',
  };
  const parse = (fields: object, code = 'KNSOCK_MADE_UP') =>
    parseEntry('core', code, { ...whole, ...fields }, new Map([[7, 'Not reached.']]));

  it('takes an entry that is whole', () => {
    expect(parse({})).toMatchObject({ code: 'KNSOCK_MADE_UP', kind: 'error', retryable: false, exit: 7 });
  });

  it.each([
    ['a field that nobody reads', { hnit: 'Try again.' }, /hnit/],
    ['no fix', { fix: undefined }, /lacks fix/],
    ['no hint', { hint: '' }, /lacks hint/],
    ['an exit code that has no meaning', { exit: 8 }, /exit code .* 8/],
    ['a side that is none', { side: 'left' }, /lacks side/],
    ["a hint for a command that doesn't exist", { hints: { dance: 'Dance.' } }, /dance/],
  ])('refuses an entry with %s', (_what, fields, message) => {
    expect(() => parse(fields)).toThrow(message);
  });

  it("refuses a code that doesn't begin with KNSOCK_", () => {
    expect(() => parse({}, 'MADE_UP')).toThrow(/KNSOCK_/);
  });
});

it('describes no code twice', () => {
  const titles = [...page.text.matchAll(/^### (.+)$/gm)].map(([, title]) => title);
  expect(new Set(titles).size).toBe(titles.length);
});
