import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { limitNames, parsePool, type PoolConfig } from './config.js';

const defaults = parsePool({ create: () => 1 });

test.each([...limitNames, 'createTimeout' as const].filter((name) => name !== 'clock' && name !== 'random'))(
  '%s is documented with the default that it has',
  (name) => {
    expect(documented(name)).toBe(shown(name === 'onError' ? undefined : defaults[name]));
  },
);

/** The column `default` of the table of options. */
function documented(name: string): string | undefined {
  const text = readFileSync(new URL('../../../../docs/pool.md', import.meta.url), 'utf8');
  const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``));
  return row?.split('|')[3]?.trim();
}

function shown(value: PoolConfig[keyof PoolConfig]): string {
  if (typeof value === 'number') return value === Infinity ? 'off' : value.toLocaleString('en');
  if (typeof value === 'string') return `\`'${value}'\``;
  if (value === undefined) return 'a process warning';
  const parts = Object.entries(value).map(
    ([key, ms]) => `${key}: ${(ms as number).toLocaleString('en').replace(',', '_')}`,
  );
  return `\`{ ${parts.join(', ')} }\``;
}
