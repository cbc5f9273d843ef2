// The tables of options in docs/: as the tables by which options are read have them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { integerWithin, text, withDefault } from '@knsock/core/options';
import { readDocument, workspace } from './documents.js';
import { optionParts } from './options/option-pages.js';
import { rowsOf } from './options/option-rows.js';
import { withReference } from './reference.js';

describe.each(Object.entries(optionParts))('%s', (file, parts) => {
  const page = readDocument(file).text;

  it('has every option with its default (npm run format writes them)', () => {
    expect(page).toBe(withReference(page, parts));
  });

  it('notices a default that says something else', () => {
    const altered = page.replace(/ \| ([\d,]+) \| /, ' | 7 | ');
    expect(altered).not.toBe(page);
    expect(withReference(altered, parts)).toBe(page);
  });
});

describe('a row of an option', () => {
  const table = { max: withDefault<number>(integerWithin({}), 10_000), name: text<string | undefined> };

  it('shows the default that the option is read with', () => {
    expect(rowsOf(table, { max: 'enough', name: ['none', 'yours'] })).toEqual([
      { name: '`max`', shown: '10,000', why: 'enough' },
      { name: '`name`', shown: 'none', why: 'yours' },
    ]);
  });

  it('says no other default in words', () => {
    expect(() => rowsOf(table, { max: ['9,000', 'enough'], name: ['none', 'yours'] })).toThrow(
      'the default of max is 10,000',
    );
  });

  it('needs words where the default is no plain value', () => {
    const endless = { max: withDefault<number>(integerWithin({}), Infinity) };
    expect(() => rowsOf(endless, { max: 'enough' })).toThrow('the default of max needs words');
  });
});

const surface = readFileSync(path.join(workspace, 'api/core.txt'), 'utf8');
const documented = new Set(
  Object.values(optionParts)
    .flatMap((parts) => Object.values(parts))
    .flatMap((part) => [...part.matchAll(/^\| `([^`]+)`/gm)])
    .flatMap(([, name = '']) => name.split('.')),
);

/** The members of an interface, with those that it inherits. */
function members(name: string): string[] {
  const [, above = '', body = ''] =
    new RegExp(`^interface ${name}\\b(?:<.*?>)?(?: extends ([^{]+))? \\{\\n([^]*?)^\\}`, 'm').exec(surface) ??
    [];
  const own = [...body.matchAll(/^ {4}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = '']) => member);
  return [...above.split(/, (?=[A-Z])/).flatMap((base) => (base === '' ? [] : members(base.trim()))), ...own];
}

describe.each(['ListenOptions', 'ConnectOptions', 'WatchOptions', 'CredentialFiles', 'HttpOptions'])(
  'every option of %s',
  (name) => {
    it.each(members(name).filter((option) => option !== 'insecureHTTPParser' && option !== 'profile'))(
      '%s is in a table of the documents',
      (option) => {
        expect(documented).toContain(option);
      },
    );
  },
);
