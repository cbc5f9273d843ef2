import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthPrefixed } from '../framing/index.js';
import { encodeAll } from '../testing/memory-output.js';
import { OnreadTap } from './onread-tap.js';

/** Delivers bytes as Node does: into the one buffer, which changes with the next chunk. */
function arrive(tap: OnreadTap, bytes: Buffer): void {
  const { buffer, callback } = tap.option;
  bytes.copy(buffer);
  callback(bytes.length, buffer);
  buffer.fill(0xee);
}

/** Decodes what comes, and looks at a message only while it is handed out. */
function lendingSink() {
  const decoder = lengthPrefixed().decoder({ maxMessageBytes: 1_048_576 });
  decoder.lend?.();
  const seen: string[] = [];
  const memory = new Set<ArrayBufferLike>();
  const sink = {
    lends: true,
    get copiesNext() {
      return decoder.copiesNext ?? 0;
    },
    deliver: (chunk: Buffer) => {
      decoder.push(chunk, {
        message: (payload) => {
          memory.add(payload.buffer);
          seen.push(payload.toString('latin1'));
        },
      });
      return true;
    },
  };
  return { sink, seen, memory };
}

describe('OnreadTap', () => {
  it('shows a sink that lends what came, in memory of its own, whatever the cuts', () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 8 });
    fc.assert(
      fc.property(sizes, fc.array(fc.integer({ min: 1, max: 16_384 }), { minLength: 1 }), (lengths, cuts) => {
        const messages = lengths.map((length, n) => Buffer.alloc(length, n + 1));
        const bytes = encodeAll(lengthPrefixed(), messages);
        const tap = new OnreadTap();
        const { sink, seen, memory } = lendingSink();
        tap.attach(sink);
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = cuts[n % cuts.length] as number;
          arrive(tap, bytes.subarray(at, at + size));
          at += size;
        }
        expect(seen).toEqual(messages.map((sent) => sent.toString('latin1')));
        expect(memory.has(tap.option.buffer.buffer)).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  it('gives a sink that keeps what comes memory that never changes', () => {
    const tap = new OnreadTap();
    const kept: Buffer[] = [];
    tap.attach({ lends: false, copiesNext: 0, deliver: (chunk) => kept.push(chunk) > 0 });
    for (const size of [10, 3_000, 16_384, 20]) arrive(tap, Buffer.alloc(size, 'x'));
    expect(kept.map(({ length }) => length)).toEqual([10, 3_000, 16_384, 20]);
    expect(kept.every((chunk) => chunk.every((byte) => byte === 0x78))).toBe(true);
  });

  it('leaves lent memory alone while it is in use', () => {
    const tap = new OnreadTap();
    const kept: string[] = [];
    let nested = false;
    tap.attach({
      lends: true,
      copiesNext: 0,
      deliver: (chunk) => {
        if (!nested) {
          nested = true;
          arrive(tap, Buffer.from('inner'));
        }
        kept.push(String(chunk));
        return true;
      },
    });
    arrive(tap, Buffer.from('outer'));
    expect(kept).toEqual(['inner', 'outer']);
  });
});
