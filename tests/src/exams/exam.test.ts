/** Two public exams of path validation through every entrance: each divergence is listed with its reason. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { LimboOutcome } from '../interop/limbo-program.js';
import { limboCases, pkitsCases } from '../x509/limbo.js';
import { entrances } from './entrances.js';
import { exceptionsOf, type Answer } from './exceptions.js';

const limbo = limboCases();
const cases = [...limbo, ...pkitsCases()];
const expected = new Map(cases.map(({ id, expected_result: result }) => [id, result === 'SUCCESS']));

/** Those that an entrance decides otherwise than the exam. */
function divergences(answers: Iterable<readonly [id: string, accepted: boolean]>): Record<string, Answer> {
  const diverging = [...answers].filter(([id, accepted]) => accepted !== expected.get(id));
  return Object.fromEntries(diverging.map(([id, accepted]) => [id, accepted ? 'accept' : 'refuse']));
}

describe('limbo and PKITS', () => {
  it('have all of their cases', () => {
    expect([limbo.length, cases.length]).toEqual([207, 210]);
  });

  it.each(Object.entries(entrances))(
    'are decided by %s as they ask, except in the listed cases',
    async (name, entrance) => {
      const answers: [string, boolean][] = [];
      for (const one of cases) answers.push([one.id, await entrance(one)]);
      expect(divergences(answers)).toEqual(exceptionsOf(name, cases));
    },
  );

  it('are decided by a TLS connection as they ask, except in the listed cases', async () => {
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
