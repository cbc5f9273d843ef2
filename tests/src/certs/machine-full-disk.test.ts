/** An enrolled machine whose disk is full, in a mount namespace of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { canMount, runMounting } from './small-disk.js';

type Outcome = Readonly<Record<'first' | 'renewal', string>> & {
  readonly issued: number;
  readonly pairs: readonly boolean[];
};

const FILE = 'KNSOCK_CERTIFICATE_FILE';

it(
  'spends its token on one certificate, keeps the pair that is there, and goes on once there is room',
  { timeout: 120_000 },
  async (context) => {
    if (!(await canMount())) return context.skip('no file system can be mounted here (root is needed)');
    const folder = await mkdtemp(join(tmpdir(), 'knsock-machine-full-'));
    const [disk, store] = [join(folder, 'disk'), join(folder, 'store')];
    await mkdir(disk);
    const said = await runMounting('machine-full-disk.program.ts', [disk, store]).finally(() =>
      rm(folder, { recursive: true, force: true }),
    );
    const outcomes = said as readonly Outcome[];
    for (const { issued, pairs } of outcomes)
      expect({ issued, pairs }).toEqual({ issued: 1, pairs: [true, true, true] });
    for (const of of ['first', 'renewal'] as const)
      expect([of, new Set(outcomes.map((one) => one[of]))]).toEqual([of, new Set([FILE, 'done'])]);
  },
);
