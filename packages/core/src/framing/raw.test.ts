import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { encodeAll } from '../testing/index.js';
import { raw } from './index.js';

describe('raw()', () => {
  it('takes every chunk for a message, cutting those over the limit', () => {
    const received: string[] = [];
    const decoder = raw().decoder({ maxMessageBytes: 4 });
    const sink = { message: (payload: Buffer) => void received.push(payload.toString()) };
    for (const chunk of ['abc', '', 'abcd', 'abcdefghi']) decoder.push(Buffer.from(chunk), sink);
    decoder.end(sink);
    expect(received).toEqual(['abc', 'abcd', 'abcd', 'efgh', 'i']);
  });

  it('adds nothing to the bytes', () => {
    expect(encodeAll(raw(), [Buffer.from('a\n'), Buffer.alloc(0), Buffer.from('b')]).toString()).toBe('a\nb');
  });
});
