/** An authority whose disk is full, in a mount namespace of its own. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { canMount, runMounting } from './small-disk.js';

interface Said {
  readonly outcomes: readonly {
    readonly first: string;
    readonly serial: string;
    readonly given: readonly string[];
    readonly noted: readonly string[];
  }[];
  readonly errors: readonly string[];
  readonly refusal: string;
  readonly indexed: readonly string[];
  readonly tokens: number;
  readonly crl: number;
  readonly victim: string;
}

const FULL = 'no space or no inodes are left on the file system (ENOSPC)';

it(
  'issues nothing twice on a full disk, says so, and goes on once there is room',
  { timeout: 120_000 },
  async (context) => {
    if (!(await canMount())) return context.skip('no file system can be mounted here (root is needed)');
    const folder = await mkdtemp(join(tmpdir(), 'knsock-full-'));
    const [disk, machines] = [join(folder, 'disk'), join(folder, 'machines')];
    await Promise.all([disk, machines].map((one) => mkdir(one)));
    const said = await runMounting('authority-full-disk.program.ts', [disk, machines]).finally(() =>
      rm(folder, { recursive: true, force: true }),
    );
    const { outcomes, errors, refusal, indexed, tokens, crl, victim } = said as Said;
    for (const { first, serial, given, noted } of outcomes) {
      // One certificate, whenever it came, and the journal records which.
      expect(given).toEqual([serial]);
      expect(noted).toEqual([serial]);
      expect([serial, 'KNSOCK_CERTIFICATE_UNREACHABLE']).toContain(first);
    }
    expect(outcomes.some(({ first, serial }) => first !== serial)).toBe(true);
    expect(outcomes.some(({ first, serial }) => first === serial)).toBe(true);
    expect(errors.some((message) => message.includes(FULL))).toBe(true);
    expect(refusal).toContain(FULL);
    expect(indexed).toEqual(expect.arrayContaining(outcomes.map(({ serial }) => serial)));
    expect({ tokens, victim }).toEqual({ tokens: outcomes.length, victim: 'superseded' });
    expect(crl).toBeGreaterThan(0);
  },
);
