// `npm run test:packages` starts each as a stranger would; here are their own tests, on the sources as they are.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExampleCopies, runNode } from '../support/example-copies.js';

const examples = fileURLToPath(new URL('../../../examples', import.meta.url));
const folders = readdirSync(examples, { withFileTypes: true });
const names = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);

const index = readFileSync(path.join(examples, 'README.md'), 'utf8');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

let copies: ExampleCopies;
beforeAll(async () => {
  copies = await ExampleCopies.create();
});
afterAll(() => copies[Symbol.asyncDispose]());

describe.each(names)('examples/%s', (name) => {
  const manifest = JSON.parse(read(name, 'package.json')) as Manifest;
  const files = readdirSync(path.join(examples, name)).filter((file) => file.endsWith('.mjs'));

  const programs = files.filter((file) => !file.endsWith('.test.mjs'));
  const linesOf = (some: readonly string[]): number =>
    some.flatMap((file) => codeLines(read(name, file))).length;

  it('has less than 200 lines of code apart from what shows it, and as many as examples/README.md says', () => {
    const shows = name === 'quickstart' ? [] : ['main.mjs', 'processes.mjs'];
    const own = linesOf(programs.filter((file) => !shows.includes(file)));
    expect(own).toBeLessThan(200);
    const [row = ''] = index.split('\n').filter((line) => line.startsWith(`| [${name}](`));
    expect(row).toContain(`| ${own}, in all ${linesOf(programs)} |`);
  });

  it('imports nothing but what packages export and its manifest names', () => {
    const allowed = [...Object.keys(manifest.dependencies), 'node:', './'];
    const imported = files.flatMap((file) => importsOf(read(name, file)));
    expect(imported.length).toBeGreaterThan(3);
    expect(imported.filter((module) => !allowed.some((start) => module.startsWith(start)))).toEqual([]);
  });
});

const tested = names.filter((name) => 'test' in (JSON.parse(read(name, 'package.json')) as Manifest).scripts);

it('has tests in every example but the quickstart', () => {
  expect(names.filter((name) => !tested.includes(name))).toEqual(['quickstart']);
});

it.each(tested)('examples/%s passes its own tests', { timeout: 150_000 }, async (name) => {
  const signal = AbortSignal.timeout(140_000);
  const { code, output } = await runNode(copies.copy(name), ['--test', '--test-reporter=tap'], { signal });
  expect(code, output).toBe(0);
  expect(Number(/^# pass (\d+)$/m.exec(output)?.[1]), output).toBeGreaterThan(5);
  expect(output).toMatch(/^# skipped 0$/m);
});

function read(name: string, file: string): string {
  return readFileSync(path.join(examples, name, file), 'utf8');
}

function codeLines(source: string): string[] {
  return source.split('\n').filter((line) => !/^\s*(\/\/.*|\/?\*.*|)$/.test(line));
}

function importsOf(source: string): string[] {
  return [...source.matchAll(/\b(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, module = '']) => module);
}
