import { describe, expect, it } from 'vitest';
import { cutBytes, type Cut } from './cut.js';

async function cut(pieces: readonly string[], how: Cut): Promise<string[][]> {
  const source = (async function* () {
    for (const piece of pieces) yield await Promise.resolve(Buffer.from(piece));
  })();
  const batches: string[][] = [];
  for await (const messages of cutBytes(source, how)) batches.push(messages.map(String));
  return batches;
}

describe('cutting a stream of bytes', () => {
  it.each<[string, Cut['by'], readonly string[], string[][]]>([
    ['keeps the lines that end in one piece together', 'line', ['a\nb\n', 'c\n'], [['a', 'b'], ['c']]],
    ['joins a line over several pieces', 'line', ['a', 'b', 'c\nd'], [['abc'], ['d']]],
    ['keeps empty lines, and drops a carriage return', 'line', ['a\r\n\n', '\r\n'], [['a', ''], ['']]],
    ['joins a carriage return with its line feed', 'line', ['a\r', '\nb'], [['a'], ['b']]],
    ['makes messages of a fixed size', { bytes: 2 }, ['abcde', 'f', 'g'], [['ab', 'cd'], ['ef'], ['g']]],
    ['makes one message of everything', 'whole', ['ab', 'c'], [['abc']]],
    ['passes pieces on as they come', 'piece', ['ab', 'c'], [['ab'], ['c']]],
  ])('%s', async (_, by, pieces, batches) => {
    expect(await cut(pieces, { by, limit: 100 })).toEqual(batches);
  });

  it.each<Cut['by']>(['line', 'whole'])('refuses what is over the limit (%s)', async (by) => {
    await expect(cut(['abc', 'def'], { by, limit: 5 })).rejects.toMatchObject({
      code: 'KNSOCK_MESSAGE_TOO_LARGE',
    });
  });
});
