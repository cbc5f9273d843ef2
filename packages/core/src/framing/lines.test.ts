import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageTooLargeError, ProtocolError } from '../errors/index.js';
import { encodeAll, MemoryOutput } from '../testing/index.js';
import { lines } from './index.js';

function decode(chunks: (string | Buffer)[], maxMessageBytes = 1000): string[] {
  const messages: string[] = [];
  const decoder = lines().decoder({ maxMessageBytes });
  const sink = { message: (payload: Buffer) => void messages.push(payload.toString('latin1')) };
  for (const chunk of chunks) decoder.push(Buffer.from(chunk as string, 'latin1'), sink);
  decoder.end(sink);
  return messages;
}

describe('lines()', () => {
  it('reads any text the way splitting at LF does, one CR before it left out, wherever it is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\r', '\n', 'bcd', 'e'.repeat(70)), maxLength: 40 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(20)), (body, sizes) => {
        const bytes = `${body}\n`;
        const chunks: string[] = [];
        let at = 0;
        for (const size of sizes) chunks.push(bytes.slice(at, (at += size)));
        chunks.push(bytes.slice(at));
        const expected = body.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
        expect(decode(chunks, 100_000)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('strips one CR, also where it came in another chunk than its LF', () => {
    expect(decode(['a\r', '\n', '\r', '\nb\r\r\n'])).toEqual(['a', '', 'b\r']);
  });

  it('takes a line of exactly the limit, with CR LF too', () => {
    expect(decode(['12345\r', '\n', '12345\n', '12345\r\n'], 5)).toEqual(['12345', '12345', '12345']);
  });

  it('gives up on a line as soon as the limit is passed, long before its end', () => {
    const push = (...chunks: string[]) => {
      const decoder = lines().decoder({ maxMessageBytes: 5 });
      for (const chunk of chunks) decoder.push(Buffer.from(chunk), { message: () => undefined });
    };
    push('12345');
    push('1234', '5\r');
    for (const chunks of [
      ['123456'],
      ['12345', '6'],
      ['12345\r', 'x'],
      ['12345\r', '\r'],
      ['1', '2345\r\r'],
    ]) {
      expect(() => push(...chunks)).toThrow(MessageTooLargeError);
    }
  });

  it('says how many bytes of a line were cut off', () => {
    expect(() => decode(['a\nbcd'])).toThrow(/3 bytes into a line/);
  });

  it('refuses to send what would arrive as something else', () => {
    for (const [text, why] of [
      ['ab\ncd', /LF, and this payload has one at byte 2/],
      ['ab\r', /can't end in CR/],
    ] as const) {
      const out = new MemoryOutput();
      expect(() => lines().encode(Buffer.from(text), out)).toThrow(ProtocolError);
      expect(() => lines().encode(Buffer.from(text), out)).toThrow(why);
      expect(out.length).toBe(0);
    }
    expect(encodeAll(lines(), [Buffer.from('a\rb')]).toString()).toBe('a\rb\n');
  });
});
