import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { InvalidOptionError, MessageTooLargeError, ProtocolError } from '../errors/index.js';
import { encodeAll, MemoryOutput } from '../testing/index.js';
import { lengthPrefixed, type LengthPrefixedOptions } from './index.js';

const format = fc.record({
  bytes: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
  endian: fc.constantFrom('big' as const, 'little' as const),
});

describe('lengthPrefixed()', () => {
  it.each<[LengthPrefixedOptions, string]>([
    [{}, '00000002 6869'],
    [{ endian: 'little' }, '02000000 6869'],
    [{ bytes: 1 }, '02 6869'],
    [{ bytes: 2 }, '0002 6869'],
    [{ bytes: 2, endian: 'little' }, '0200 6869'],
    [{ bytes: 8 }, '0000000000000002 6869'],
    [{ bytes: 8, endian: 'little' }, '0200000000000000 6869'],
  ])('%j writes a length that excludes itself', (options, bytes) => {
    expect(encodeAll(lengthPrefixed(options), [Buffer.from('hi')]).toString('hex')).toBe(
      bytes.replace(' ', ''),
    );
  });

  it('returns any messages cut into any chunks unchanged', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(
        format,
        fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 9 }),
        cuts,
        (options, sent, sizes) => {
          const framing = lengthPrefixed(options);
          const bytes = encodeAll(framing, sent);
          const received: Buffer[] = [];
          const decoder = framing.decoder({ maxMessageBytes: 200 });
          const sink = { message: (payload: Buffer) => void received.push(payload) };
          let at = 0;
          for (const size of [...sizes, Infinity]) decoder.push(bytes.subarray(at, (at += size)), sink);
          decoder.end(sink);
          expect(received.map((payload) => [...payload])).toEqual(sent.map((payload) => [...payload]));
        },
      ),
    );
  });

  it('answers any garbage with messages within the limit or a ProtocolError', () => {
    fc.assert(
      fc.property(format, fc.array(fc.uint8Array({ maxLength: 30 })), (options, chunks) => {
        const decoder = lengthPrefixed(options).decoder({ maxMessageBytes: 20 });
        const sink = { message: (payload: Buffer) => expect(payload.length).toBeLessThanOrEqual(20) };
        try {
          for (const chunk of chunks) decoder.push(Buffer.from(chunk), sink);
          decoder.end(sink);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
    );
  });

  it('refuses a length over the limit before any of the message comes', () => {
    const decoder = lengthPrefixed().decoder({ maxMessageBytes: 65_536 });
    expect(() => decoder.push(Buffer.from('00011170', 'hex'), { message: () => undefined })).toThrow(
      'message of 70,000 bytes is over the limit of 65,536',
    );
  });

  it.each([
    ['whole', [Buffer.alloc(4 + 70_000).fill(Buffer.from('00011170', 'hex'), 0, 4)]],
    ['after its length came in pieces', [Buffer.from('0001', 'hex'), Buffer.from('1170', 'hex')]],
  ])('refuses a message over the limit that comes %s', (_, chunks) => {
    const decoder = lengthPrefixed().decoder({ maxMessageBytes: 65_536 });
    const sink = { message: vi.fn() };
    expect(() => {
      for (const chunk of chunks) decoder.push(chunk, sink);
    }).toThrow('message of 70,000 bytes is over the limit of 65,536');
    expect(sink.message).not.toHaveBeenCalled();
  });

  it('takes a length of 2^64 - 1 for what it is', () => {
    const decoder = lengthPrefixed({ bytes: 8 }).decoder({ maxMessageBytes: Number.MAX_SAFE_INTEGER });
    expect(() => decoder.push(Buffer.alloc(8, 0xff), { message: () => undefined })).toThrow(
      MessageTooLargeError,
    );
  });

  it('refuses to send what its length field cannot say', () => {
    const out = new MemoryOutput();
    expect(() => lengthPrefixed({ bytes: 1 }).encode(Buffer.alloc(256), out)).toThrow(
      /256 bytes is over the limit of 255/,
    );
    expect(out.length).toBe(0);
  });

  it('refuses options it does not know', () => {
    expect(() => lengthPrefixed({ bytes: 3 as 4 })).toThrow(InvalidOptionError);
    expect(() => lengthPrefixed({ endian: 'middle' as 'big' })).toThrow(
      /endian must be one of 'big', 'little', not 'middle'/,
    );
  });

  it('puts a message of several MiB together from small chunks', () => {
    const payload = Buffer.alloc(3 * 1024 * 1024 + 7, 'abc');
    const bytes = encodeAll(lengthPrefixed(), [payload, Buffer.from('next')]);
    const received: Buffer[] = [];
    const decoder = lengthPrefixed().decoder({ maxMessageBytes: payload.length });
    const sink = { message: (message: Buffer) => void received.push(message) };
    for (let at = 0; at < bytes.length; at += 16_384) decoder.push(bytes.subarray(at, at + 16_384), sink);
    expect(received.map((message) => message.length)).toEqual([payload.length, 4]);
    expect(received[0]!.equals(payload)).toBe(true);
    expect(received[0]!.buffer.byteLength).toBe(payload.length);
  });

  it('hands over whole messages as views into their chunk, and copies only those that were cut', () => {
    const bytes = encodeAll(lengthPrefixed(), [Buffer.from('one'), Buffer.from('two')]);
    const received: Buffer[] = [];
    const decoder = lengthPrefixed().decoder({ maxMessageBytes: 10 });
    const sink = { message: (message: Buffer) => void received.push(message) };
    decoder.push(bytes.subarray(0, 9), sink);
    decoder.push(bytes.subarray(9), sink);
    expect(received.map((message) => message.buffer === bytes.buffer)).toEqual([true, false]);
  });
});
