/** An authority whose disk is full, in a mount namespace of its own. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('authority-full-disk.program.ts', import.meta.url));

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
    const mountable = await run('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).catch(
      () => undefined,
    );
    if (mountable === undefined) return context.skip('no file system can be mounted here (root is needed)');
    const folder = await mkdtemp(join(tmpdir(), 'knsock-full-'));
    const [disk, machines] = [join(folder, 'disk'), join(folder, 'machines')];
    await Promise.all([disk, machines].map((one) => mkdir(one)));
    const node = ['-C', '@knsock/source', '--import', import.meta.resolve('tsx'), program, disk, machines];
    const { stdout } = await run('unshare', ['-m', process.execPath, ...node], { timeout: 100_000 }).finally(
      () => rm(folder, { recursive: true, force: true }),
    );
    const { outcomes, errors, refusal, indexed, tokens, crl, victim } = JSON.parse(stdout) as Said;
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
