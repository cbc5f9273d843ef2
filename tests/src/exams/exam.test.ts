/** Two public exams of path validation through every entrance: each divergence is listed with its reason. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { LimboOutcome } from '../interop/limbo-program.js';
import { limboCases, type LimboCase } from '../x509/limbo.js';
import { entrances, type Entrance } from './entrances.js';
import { exceptionsOf, type Answer } from './exceptions.js';
import { pkitsCases, withWholeDirectory } from './pkits.js';

const limbo = limboCases();
const pkits = pkitsCases();
const expected = new Map(
  [...limbo, ...pkits].map(({ id, expected_result: result }) => [id, result === 'SUCCESS']),
);

/** Those that an entrance decides otherwise than the exam. */
function divergences(answers: Iterable<readonly [id: string, accepted: boolean]>): Record<string, Answer> {
  const diverging = [...answers].filter(([id, accepted]) => accepted !== expected.get(id));
  return Object.fromEntries(diverging.map(([id, accepted]) => [id, accepted ? 'accept' : 'refuse']));
}

async function answersOf(entrance: Entrance, cases: readonly LimboCase[]): Promise<[string, boolean][]> {
  const answers: [string, boolean][] = [];
  for (const one of cases) answers.push([one.id, await entrance(one)]);
  return answers;
}

describe('limbo', () => {
  it('has all of its cases', () => {
    expect(limbo).toHaveLength(207);
  });

  it.each(Object.entries(entrances))(
    'is decided by %s as it asks, except in the listed cases',
    async (name, { answer }) => {
      expect(divergences(await answersOf(answer, limbo))).toEqual(exceptionsOf(name, limbo));
    },
  );

  it('is decided by a TLS connection as it asks, except in the listed cases', async () => {
    const possible = limbo.filter(
      ({ peer_certificate_key: key, validation_time: time }) => key !== null && time === null,
    );
    const outcomes = await overTls(possible.map(({ id }) => id));
    expect(outcomes).toHaveLength(169);
    expect(outcomes.filter(({ ours }) => ours === null)).toEqual([]);
    const answers = outcomes.map(({ id, ours }) => [id, ours === true] as const);
    expect(divergences(answers)).toEqual(exceptionsOf('connection', possible));
  });
});

describe('PKITS', () => {
  it('has its 224 tests in 16 sections, some in several parts', () => {
    const tests = pkits.map(({ id }) => /^pkits::(4\.\d+\.\d+)(?:\/\d)?::/.exec(id)?.[1]);
    expect([new Set(tests).size, pkits.length]).toEqual([224, 247]);
    expect(new Set(tests.map((test) => test?.split('.')[1])).size).toBe(16);
  });

  it.each(Object.entries(entrances))(
    'is decided by %s as it asks, except in the listed cases',
    async (name, { answer, takesPolicies }) => {
      const cases = takesPolicies ? pkits : pkits.filter(({ policies }) => policies === undefined);
      expect(divergences(await answersOf(answer, cases))).toEqual(exceptionsOf(name, cases));
    },
  );

  it('is decided alike where every certificate and list of the suite is given', async () => {
    const answers = await answersOf(entrances.verifyPath.answer, pkits.map(withWholeDirectory));
    expect(divergences(answers)).toEqual(exceptionsOf('verifyPath', pkits));
  });
});

/** In a process of its own: OpenSSL looks at the machine's clock, so only cases of today can be tried. */
async function overTls(ids: readonly string[]): Promise<LimboOutcome[]> {
  const program = fileURLToPath(new URL('../interop/limbo-program.ts', import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const args = ['-C', '@knsock/source', '--import', tsx, program, ...ids];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    timeout: 120_000,
    maxBuffer: 2 ** 24,
  });
  return JSON.parse(stdout) as LimboOutcome[];
}
