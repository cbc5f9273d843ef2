import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readDocument, workspace } from './documents.js';

const { text } = readDocument('SECURITY.md');

interface Promised {
  readonly promise: string;
  /** The titles that stand for it, each with its file. */
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

/** The rows of the threat model. */
function promises(page: string): Promised[] {
  const section = page.split(/^## Threat model$/m)[1]?.split(/^## /m)[0] ?? '';
  const rows = [...section.matchAll(/^\| (?!promise|-)(.+?) \| (.+) \|$/gm)];
  return rows.map(([, promise = '', cited = '']) => ({
    promise,
    tests: [...cited.matchAll(/`([^`]+)`: ((?:“[^”]+”(?:, )?)+)/g)].flatMap(([, file = '', titles = '']) =>
      [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => ({ file, title })),
    ),
  }));
}

function isThere({ file, title }: Promised['tests'][number]): boolean {
  const source = readFileSync(path.join(workspace, file), 'utf8');
  const written = title.replaceAll('\u2019', "'");
  return ["'", '"', '`'].some((quote) => source.includes(`(${quote}${written}${quote}`));
}

it.each(promises(text))('SECURITY.md: “$promise” names tests that exist', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  expect(tests.filter((one) => !isThere(one))).toEqual([]);
});

it('finds the promises, and misses one without a test', () => {
  expect(promises(text).length).toBeGreaterThan(15);
  const [bare] = promises(
    '## Threat model\n\n| promise | test |\n|---|---|\n| Nothing breaks | trust us |\n',
  );
  expect(bare).toEqual({ promise: 'Nothing breaks', tests: [] });
  expect(isThere({ file: 'tests/src/core/places.test.ts', title: 'no such test' })).toBe(false);
});
