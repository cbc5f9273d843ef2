import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Replies, type RepliesOptions } from './replies.js';

/** A reader of the output that is as slow as the test wants. */
function reader({ json = false, taken = () => Promise.resolve() } = {}) {
  const written: string[] = [];
  const data = async (bytes: string | Uint8Array) => {
    written.push(String(bytes));
    await taken();
  };
  return { written, output: { manner: { quiet: false, json, debug: false }, data } };
}

function print(texts: readonly string[], options: RepliesOptions, json = false) {
  const { written, output } = reader({ json });
  const replies = new Replies(output, options);
  const waits = texts.map((text) => replies.print(Buffer.from(text)));
  return { written, replies, waits };
}

describe('replies', () => {
  it('that come in one turn are written together, each with its line feed', async () => {
    const { written, replies, waits } = print(['a', 'b', 'c'], { lineEach: true });
    expect(waits).toEqual([undefined, undefined, undefined]);
    await setImmediate();
    await setImmediate();
    expect(written).toEqual(['a\nb\nc\n']);
    expect(replies.count).toBe(3);
  });

  it('are written separately if a person waits for each', async () => {
    const { written, output } = reader();
    const replies = new Replies(output, { lineEach: true, atOnce: true });
    await replies.print(Buffer.from('a'));
    expect(written).toEqual(['a\n']);
    await replies.print(Buffer.from('b'));
    expect(written).toEqual(['a\n', 'b\n']);
  });

  it('are lines of JSON if requested', async () => {
    const { written, replies } = print(['a', '\u00ff'], { lineEach: true }, true);
    await replies.end();
    expect(
      written
        .join('')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { reply: 'a', encoding: 'utf8', bytes: 1 },
      { reply: '\u00ff', encoding: 'utf8', bytes: 2 },
    ]);
  });

  it('make the caller wait for a slow reader', async () => {
    const { promise, resolve } = deferred();
    const { written, output } = reader({ taken: () => promise });
    const replies = new Replies(output, { lineEach: false });
    const large = Buffer.alloc(65_536, 'x');
    const first = replies.print(large);
    await setImmediate();
    const second = replies.print(large);
    await setImmediate();
    expect(written.length).toBe(1);
    resolve();
    await Promise.all([first, second]);
    expect(written.length).toBe(2);
  });

  it('throw the error of a failed write at the end', async () => {
    const failure = new Error('EPIPE');
    const { output } = reader({ taken: () => Promise.reject(failure) });
    const replies = new Replies(output, { lineEach: true });
    expect(replies.print(Buffer.from('a'))).toBeUndefined();
    await setImmediate();
    await expect(replies.end()).rejects.toThrow(failure);
  });
});

function deferred() {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
