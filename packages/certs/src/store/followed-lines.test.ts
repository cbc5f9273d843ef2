import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FollowedLines } from './followed-lines.js';

let folder: string;
let file: string;
let held: string[];
let taken: number;
let lines: FollowedLines;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-lines-'));
  file = join(folder, 'lines');
  held = [];
  taken = 0;
  lines = new FollowedLines(file, {
    take: (line, number) => {
      expect(number).toBe(held.length + 1);
      held.push(line);
      taken += 1;
    },
    reset: () => (held = []),
  });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function now(): Promise<string[]> {
  await lines.catchUp();
  return held;
}

it('reads each line once, and a torn one once it is complete', async () => {
  expect(await now()).toEqual([]);
  await writeFile(file, 'one\ntwo\nth');
  expect(await now()).toEqual(['one', 'two']);
  await appendFile(file, 'ree\nfour\n');
  expect(await now()).toEqual(['one', 'two', 'three', 'four']);
  expect(taken).toBe(4);
});

it('starts again if the file was truncated, replaced, removed, or overwritten with more', async () => {
  await writeFile(file, 'one\ntwo\n');
  await now();
  await truncate(file, 4);
  expect(await now()).toEqual(['one']);
  await writeFile(join(folder, 'other'), 'one\nother\n');
  await rename(join(folder, 'other'), file);
  expect(await now()).toEqual(['one', 'other']);
  await writeFile(file, 'something else, and longer\nthan it was\n');
  expect(await now()).toEqual(['something else, and longer', 'than it was']);
  await rm(file);
  expect(await now()).toEqual([]);
});

it("retries a line that can't be processed at each call", async () => {
  await writeFile(file, 'good\nbad\n');
  const seen: string[] = [];
  const strict = new FollowedLines(file, {
    take: (line) => {
      if (line === 'bad') throw new Error('bad');
      seen.push(line);
    },
    reset: () => undefined,
  });
  await expect(strict.catchUp()).rejects.toThrow('bad');
  await expect(strict.catchUp()).rejects.toThrow('bad');
  expect(seen).toEqual(['good']);
});

it('has the contents of the file, however they are appended', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((one) => one.replaceAll('\n', ' '));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(text, fc.boolean())), async (pieces) => {
      await rm(file, { force: true });
      await now();
      let whole = '';
      for (const [piece, ends] of pieces) {
        whole += piece + (ends ? '\n' : '');
        await appendFile(file, piece + (ends ? '\n' : ''));
        expect(await now()).toEqual(whole.split('\n').slice(0, -1));
      }
    }),
    { numRuns: 50 },
  );
});
