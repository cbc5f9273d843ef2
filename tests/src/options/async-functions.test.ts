import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { optionCalls, type OptionCalls } from './option-calls.js';
import { asyncFunctions } from './option-takers.js';

let folder: string;
let made: OptionCalls;
let names: readonly string[];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-async-'));
  made = await optionCalls(folder);
  names = asyncFunctions().filter((name) => !elsewhere.has(name));
}, 60_000);
afterAll(async () => {
  await made[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What a program implements for us, and what is made of a connection that only its own tests have. */
const elsewhere = new Set([
  'Signer.sign',
  'SslConnection.sendall',
  'BorrowedChannel.sendall',
  'BorrowedChannel.recv',
  // The command: it has a process of its own, and writes to its output.
  'run',
]);

const odd = { 'a symbol': Symbol('odd'), 'not a number': Number.NaN, null: null, 'a number': 7 } as const;

it('finds every function that returns a promise', () => {
  expect(names.filter((name) => typeof functionOf(name) !== 'function')).toEqual([]);
});

it('rejects, and never throws, where an argument is wrong', async () => {
  const threw: string[] = [];
  const ends: PromiseLike<unknown>[] = [];
  for (const name of names)
    for (const [what, value] of Object.entries(odd))
      for (const given of [
        [value, value, value],
        [undefined, value],
        [undefined, undefined, value],
      ])
        try {
          ends.push(functionOf(name)(...given) as PromiseLike<unknown>);
        } catch (error) {
          threw.push(`${name}, ${what} as argument ${given.indexOf(value) + 1}: ${(error as Error).message}`);
        }
  const late = new Promise((resolve) => setTimeout(resolve, 3_000).unref());
  await Promise.race([late, Promise.allSettled(ends)]);
  expect(threw).toEqual([]);
}, 60_000);

function functionOf(name: string): (...given: unknown[]) => unknown {
  const [owner, method] = name.split('.') as [string, string | undefined];
  if (method === undefined) return made.exported[owner] as (...given: unknown[]) => unknown;
  const thing = made.owners[owner] as Record<string, (...given: unknown[]) => unknown> | undefined;
  return thing?.[method]?.bind(thing) as (...given: unknown[]) => unknown;
}
