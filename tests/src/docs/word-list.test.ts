/** What people read is in the terms of the field: documents, the command's help, hints and the tables of errors. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { typographic } from './apostrophes.js';
import { readDocuments, workspace } from './documents.js';
import { privateLines, privateWords, proseOf } from './word-list.js';

const inFolder = (folder: string, ending: string) =>
  readdirSync(path.join(workspace, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending) && !file.endsWith(`.test${ending}`))
    .map((file) => path.posix.join(folder, file));
/** Sources, without those that are built, and without this list. */
const sourcesIn = (folder: string) =>
  readdirSync(path.join(workspace, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|mjs|py)$/.test(file))
    .map((file) => path.posix.join(folder, file))
    .filter((file) => !/node_modules|\/(?:dist|\.\w+)\/|src\/docs\/word-list/.test(file));
const textOf = (file: string) => readFileSync(path.join(workspace, file), 'utf8');

it.each(readDocuments())('$path uses no word of a private dialect', ({ text }) => {
  expect(privateWords(proseOf(text))).toEqual([]);
});

it.each(readDocuments())('$path has one kind of apostrophe in prose', ({ text }) => {
  expect(linesThatDiffer(text, typographic(text))).toEqual([]);
});

it.each(inFolder('errors', '.yaml'))('%s uses no word of a private dialect', (file) => {
  expect(privateWords(proseOf(textOf(file)))).toEqual([]);
});

it.each(inFolder('.changeset', '.md'))('%s uses no word of a private dialect', (file) => {
  expect(privateWords(proseOf(textOf(file)))).toEqual([]);
});

it('no source uses one in comments, titles or messages', () => {
  const sources = ['packages', 'tests/src', 'benchmarks', 'examples', 'scripts'].flatMap(sourcesIn);
  expect(sources.length).toBeGreaterThan(500);
  const found = sources.flatMap((file) => privateLines(textOf(file)).map((line) => `${file}: ${line}`));
  expect(found).toEqual([]);
});

it.each(inFolder('packages/cli/src/commands', '.ts'))('the help in %s uses none either', (file) => {
  const texts = textOf(file).match(/'(?:[^'\\\n]|\\.)*'|`[^`]*`/g) ?? [];
  expect(privateWords(texts.join('\n').replace(/\$\{[^}]*\}/g, ''))).toEqual([]);
});

function linesThatDiffer(text: string, other: string): string[] {
  const others = other.split('\n');
  return text.split('\n').filter((line, index) => line !== others[index]);
}

describe('an apostrophe', () => {
  it.each([
    ["It isn't `it's`.", "It isn\u2019t `it's`."],
    ["`connect`'s options, peers' keys", '`connect`\u2019s options, peers\u2019 keys'],
    ["[kn-sock's](a's.md)", "[kn-sock\u2019s](a's.md)"],
    ["```sh\necho it's\n```\nit's", "```sh\necho it's\n```\nit\u2019s"],
    ["a 'quoted' word", "a 'quoted' word"],
  ])('of prose alone is typographic: %s', (written, set) => {
    expect(typographic(written)).toBe(set);
  });
});

describe('the check itself', () => {
  it.each(['// Whoever calls it waits.', "it('tells everybody', () => {"])(
    'notices in a source: %s',
    (line) => {
      expect(privateLines(`const a = 1;\n${line}`)).toEqual([line]);
    },
  );

  it.each([
    'Whoever connects is verified.',
    'The client is let in.',
    'Nobody mends it.',
    'A newcomer waits.',
    'The verdict comes late.',
    '`onError` is told.',
  ])('notices: %s', (text) => {
    expect(privateWords(proseOf(text))).toHaveLength(1);
  });

  it.each([
    'The channel `knsock:verdict` has the reason.',
    'Put it in the file that your server reads.',
    '```ts\nconst verdict = await verifyChain(options); // whoever\n```\n',
    'See [the page](trust.md#verdicts).',
  ])('accepts: %s', (text) => {
    expect(privateWords(proseOf(text))).toEqual([]);
  });
});
