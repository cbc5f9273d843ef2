import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { limboCases, type LimboCase } from '../x509/limbo.js';
import type { LimboOutcome } from './limbo-program.js';
import { needsTools } from './tools.js';

const program = fileURLToPath(new URL('./limbo-program.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const withKeys = limboCases().filter(({ peer_certificate_key: key }) => key !== null);
const today = withKeys.filter(({ validation_time: time }) => time === null);
const elsewhen = withKeys.filter(({ validation_time: time }) => time !== null);
const examined = new Map(withKeys.map((limbo) => [limbo.id, limbo]));

/** Judges cases in a process whose clock, but not its monotonic one, stands at a time. */
function judge(cases: readonly LimboCase[], time: string | null): Promise<LimboOutcome[]> {
  const clock =
    time === null
      ? {}
      : {
          LD_PRELOAD: library() ?? '',
          FAKETIME: time.slice(0, 19).replace('T', ' '),
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          FAKETIME_DONT_RESET: '1',
          TZ: 'UTC',
        };
  const args = ['-C', '@knsock/source', '--import', tsx, program, ...cases.map(({ id }) => id)];
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...clock };
    execFile(
      process.execPath,
      args,
      { env, timeout: 50_000, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        if (error === null) resolve(JSON.parse(stdout) as LimboOutcome[]);
        else reject(new Error(stderr, { cause: error }));
      },
    );
  });
}

function library(): string | undefined {
  const folders = readdirSync('/usr/lib', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find(existsSync);
}

/** Where a handshake is laxer than `verifyPath` on purpose. */
const laxer: Readonly<Record<string, string>> = {
  'crl::crlnumber-missing':
    'easy-rsa and cfssl issue lists without a number; crlRevocation tells the newer of two by its date',
};

function expectSound(outcomes: readonly LimboOutcome[]): void {
  const lax = outcomes.filter(({ ours, verifyPath }) => ours === true && !verifyPath).map(({ id }) => id);
  expect(lax.filter((id) => !Object.hasOwn(laxer, id))).toEqual([]);
  const strict = outcomes.filter(
    ({ id, ours, stock, verifyPath }) =>
      ours === false && stock === true && verifyPath && examined.get(id)?.expected_result === 'SUCCESS',
  );
  expect(strict).toEqual([]);
}

describe('the exam of x509-limbo through connect() and listen()', () => {
  it("is decided as verifyPath does, with today's date", async () => {
    const outcomes = await judge(today, null);
    expect(outcomes).toHaveLength(today.length);
    expectSound(outcomes);
    // Enough of each, or the handshakes prove nothing.
    expect(outcomes.filter(({ ours }) => ours === true).length).toBeGreaterThan(30);
    expect(outcomes.filter(({ ours, stock }) => ours === false && stock === true).length).toBeGreaterThan(15);
  });

  it('is decided as verifyPath does, at the times of the other cases', async (context) => {
    needsTools(context, 'faketime');
    const times = [...new Set(elsewhen.map(({ validation_time: time }) => time))];
    const outcomes: LimboOutcome[] = [];
    for (const time of times) {
      outcomes.push(
        ...(await judge(
          elsewhen.filter(({ validation_time: at }) => at === time),
          time,
        )),
      );
    }
    expect(outcomes).toHaveLength(elsewhen.length);
    expectSound(outcomes);
    expect(outcomes.filter(({ ours }) => ours === true).length).toBeGreaterThan(5);
  });
});
