/** Certificates by ACME on a disk that is full, in a mount namespace of its own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startDirectory, type AcmeDirectory, type Answer, type Request } from './acme-directory.js';
import { canMount, runMounting } from './small-disk.js';

interface Said {
  readonly outcomes: readonly {
    readonly name: string;
    readonly first: string;
    readonly limited: string;
    readonly second: string;
    readonly replaced: boolean;
    readonly pairs: readonly boolean[];
  }[];
  readonly reported: readonly string[];
}

interface Ordered {
  readonly identifiers?: readonly { readonly value: string }[];
}

const FILE = 'KNSOCK_CERTIFICATE_FILE';
const LIMITED = 'KNSOCK_ACME_RATE_LIMITED';

const nameOf = ({ payload }: Request): string =>
  (payload as Ordered | undefined)?.identifiers?.[0]?.value ?? '';

/** A CA that wants no orders for some names. */
function limit(request: Request): Answer | undefined {
  if (request.what !== 'new-order' || !nameOf(request).startsWith('limited-')) return undefined;
  const type = 'urn:ietf:params:acme:error:rateLimited';
  return {
    status: 429,
    headers: { 'retry-after': '3600' },
    body: JSON.stringify({ type, detail: 'enough' }),
  };
}

const ordersFor = ({ orders }: AcmeDirectory, name: string): string[] =>
  orders.filter(({ identifiers }) => identifiers[0]?.value === name).map(({ status }) => status);

it(
  'orders nothing twice on a full disk, keeps the pair that is there, and goes on once there is room',
  { timeout: 120_000 },
  async (context) => {
    if (!(await canMount())) return context.skip('no file system can be mounted here (root is needed)');
    const folder = await mkdtemp(join(tmpdir(), 'knsock-acme-full-'));
    await using directory = await startDirectory();
    directory.interfere = limit;
    const [disk, ca] = [join(folder, 'disk'), join(folder, 'ca.crt')];
    await Promise.all([mkdir(disk), writeFile(ca, directory.ca)]);
    const said = await runMounting('acme-full-disk.program.ts', [disk, directory.url, ca]).finally(() =>
      rm(folder, { recursive: true, force: true }),
    );
    const { outcomes, reported } = said as Said;
    for (const { name, first, limited, second, replaced, pairs } of outcomes) {
      // The second renewal goes on with the order of the first, unless that has put its certificate in place.
      // None is given up for another.
      expect([name, ordersFor(directory, name)]).toEqual([name, Array(replaced ? 3 : 2).fill('valid')]);
      if (second === 'done') expect(replaced).toBe(true);
      expect([FILE, 'done']).toContain(first);
      expect([FILE, 'done']).toContain(second);
      expect(pairs).toEqual([true, true, true]);
      const asked = directory.requests.some((one) => nameOf(one) === name.replace('round', 'limited'));
      expect([name, limited]).toEqual([name, asked ? LIMITED : FILE]);
    }
    for (const of of ['first', 'second', 'limited'] as const) {
      expect([of, new Set(outcomes.map((one) => one[of])).size]).toEqual([of, 2]);
    }
    // The space that an order has reserved is enough for the limit.
    expect(reported).toEqual([]);
  },
);
