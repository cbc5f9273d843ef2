// docs/defaults.md beside the options as they are: each is in it, and numbers are those that hold.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLimits } from '../../../packages/core/src/policy/limits.js';
import { parseAdmission } from '../../../packages/core/src/server/admission.js';
import { readDocument, workspace } from './documents.js';

const { text } = readDocument('docs/defaults.md');
/** Options of Node’s own, described where HTTP is. */
const http = readDocument('docs/http.md').text;
const surface = readFileSync(path.join(workspace, 'api/core.txt'), 'utf8');

/** The members of an interface, with those that it inherits. */
function members(name: string): string[] {
  const [, above = '', body = ''] =
    new RegExp(`^interface ${name}\\b(?:<.*?>)?(?: extends ([^{]+))? \\{\\n([^]*?)^\\}`, 'm').exec(surface) ??
    [];
  const own = [...body.matchAll(/^ {4}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = '']) => member);
  return [...above.split(/, (?=[A-Z])/).flatMap((base) => (base === '' ? [] : members(base.trim()))), ...own];
}

/** The rows of the page's tables: the first cell's words in code, and the second cell. */
const rows = [...`${text}\n${http}`.matchAll(/^\| (.+?) \| (.+?) \|/gm)].map(
  ([, first = '', second = '']) => ({
    names: [...first.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word),
    value: second,
  }),
);

const documented = new Set(rows.flatMap(({ names }) => names.flatMap((name) => name.split('.'))));

describe.each([
  'ListenOptions',
  'ConnectOptions',
  'TlsProfileOptions',
  'HeartbeatOptions',
  'WatchOptions',
  'CredentialFiles',
  'CredentialsOptions',
  'JsonOptions',
  'HttpOptions',
])('every option of %s', (name) => {
  it.each(members(name).filter((option) => option !== 'insecureHTTPParser'))(
    '%s is in the documentation of defaults',
    (option) => {
      expect(documented).toContain(option);
    },
  );
});

it('finds what an interface inherits', () => {
  expect(members('ListenOptions')).toEqual(
    expect.arrayContaining(['port', 'maxConnections', 'sendTimeout', 'pins']),
  );
});

const numbers = { ...parseLimits({}), ...parseAdmission({}) };

it.each(Object.entries(numbers).filter(([, value]) => typeof value === 'number'))(
  'the default of %s is %s, and documented',
  (name, value) => {
    const row = rows.find(({ names }) => names.includes(name));
    expect(asNumber(row?.value ?? '')).toBe(value);
  },
);

/** `5,000` and `1 MiB` as numbers. */
function asNumber(cell: string): number {
  const [, digits = '', unit] = /^([\d,]+)(?: (MiB))?$/.exec(cell) ?? [];
  return Number(digits.replaceAll(',', '')) * (unit === undefined ? 1 : 2 ** 20);
}
