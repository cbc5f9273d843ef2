import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidJsonError, InvalidOptionError } from '../errors/index.js';
import { encodeAll } from '../testing/index.js';
import { jsonErrorPosition } from './json-error-position.js';
import { isKnsock, json, knsock, lines, type StandardSchema } from './index.js';

function schema<T>(validate: StandardSchema<T>['~standard']['validate']): StandardSchema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

function caught(run: () => unknown): InvalidJsonError {
  try {
    run();
  } catch (error) {
    if (error instanceof InvalidJsonError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('json()', () => {
  it('brings any JSON value through, whatever framing carries it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const framing = json(lines());
        const received: unknown[] = [];
        const decoder = framing.decoder({ maxMessageBytes: 1 << 20 });
        decoder.push(encodeAll(framing, [Buffer.from(framing.print!(value))]), {
          message: (payload) => void received.push(framing.parse!(payload)),
        });
        expect(JSON.stringify(received)).toBe(JSON.stringify([value]));
      }),
    );
  });

  it('keeps the ALPN protocol and the brand of knsock(), and takes neither from others', () => {
    expect(json(knsock()).alpn).toBe('knsock/1');
    expect(isKnsock(json(knsock()))).toBe(true);
    expect(json(lines()).alpn).toBeUndefined();
    expect(isKnsock(json(lines()))).toBe(false);
    expect(json(knsock()).name).toBe('json(knsock)');
  });

  it('goes through the parse and print of the framing that it wraps', () => {
    const reversed = {
      ...lines(),
      parse: (payload: Buffer) => Buffer.from(payload).reverse(),
      print: (message: string | Uint8Array) => Buffer.from(message).reverse(),
    };
    const framing = json(reversed);
    expect(Buffer.from(framing.print!([1, 2])).toString()).toBe(']2,1[');
    expect(framing.parse!(Buffer.from(']2,1['))).toEqual([1, 2]);
  });

  it('names the place where a message stops being JSON, and never quotes the message', () => {
    const secret = 'hunter2'.repeat(3);
    const error = caught(() => json(lines()).parse!(Buffer.from(`{"password":"${secret}",}`)));
    expect(error.message).toBe(`a message isn't JSON: unexpected "}" at character 37 of 37`);
    expect(error.position).toBe(36);
    expect(error.cause).toBeUndefined();
    expect(caught(() => json(lines()).parse!(Buffer.from('{"a":1'))).message).toMatch(
      /ends too early, after 6 char/,
    );
  });

  it('refuses bytes that are no UTF-8 instead of replacing them', () => {
    expect(caught(() => json(lines()).parse!(Buffer.from([0x22, 0xff, 0x22]))).message).toMatch(
      /isn't UTF-8/,
    );
  });

  it('refuses to send what JSON has no words for', () => {
    const framing = json(lines());
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const value of [undefined, () => 1, 1n, cycle]) {
      expect(() => framing.print!(value)).toThrow(/can't be sent as JSON/);
    }
  });

  it('hands over what the schema makes of a message', () => {
    const framing = json(lines(), { schema: schema((value) => ({ value: { seen: value } })) });
    expect(framing.parse!(Buffer.from('7'))).toEqual({ seen: 7 });
  });

  it('says which fields break the schema', () => {
    const issues = [
      { message: 'must be a number', path: ['items', { key: 3 }, 'price'] },
      ...Array.from({ length: 6 }, () => ({ message: 'too old' })),
    ];
    const error = caught(() =>
      json(lines(), { schema: schema(() => ({ issues })) }).parse!(Buffer.from('{}')),
    );
    expect(error.message).toMatch(/schema: items\.3\.price: must be a number; too old; .* \(and 2 more\)$/);
    expect(error.issues).toHaveLength(7);
    expect(error.issues[0]).toEqual({ path: 'items.3.price', message: 'must be a number' });
  });

  it('calls an asynchronous schema a mistake in the option, also one that rejects', () => {
    const framing = json(lines(), { schema: schema(() => Promise.reject(new Error('later'))) });
    expect(() => framing.parse!(Buffer.from('{}'))).toThrow(InvalidOptionError);
    expect(() => framing.parse!(Buffer.from('{}'))).toThrow(/\(test\) validates asynchronously/);
  });

  it('refuses text nested deeper than 64, and as deep as maxDepth allows', () => {
    const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth));
    expect(() => json(lines()).parse!(nested(64))).not.toThrow();
    expect(caught(() => json(lines()).parse!(nested(65))).message).toMatch(
      /deeper than 64 levels, from byte 65/,
    );
    expect(() => json(lines(), { maxDepth: 65 }).parse!(nested(65))).not.toThrow();
    expect(() => json(lines(), { maxDepth: -1 })).toThrow(InvalidOptionError);
  });

  it('refuses text longer than maxBytes', () => {
    const framing = json(lines(), { maxBytes: 10 });
    expect(framing.parse!(Buffer.from('"12345678"'))).toBe('12345678');
    expect(() => framing.parse!(Buffer.from('"123456789"'))).toThrow(/11 bytes is over the limit of 10/);
  });

  it('looks for the place of a fault no further than other connections may wait', () => {
    const error = caught(() => json(lines()).parse!(Buffer.from(`[${'0,'.repeat(500_000)}]`)));
    expect(error.message).toBe("a message isn't JSON: the fault is behind character 65,536 of 1,000,002");
    expect(error.position).toBeUndefined();
  });

  it('says where a schema belongs that is given for the options', () => {
    expect(() => json(lines(), schema(() => ({ value: 1 })) as never)).toThrow(
      /did you mean json\(framing, \{ schema/,
    );
  });

  it('refuses what is no schema when it is given', () => {
    expect(() => json(lines(), { schema: {} as StandardSchema })).toThrow(/Standard Schema v1/);
  });
});

describe('jsonErrorPosition', () => {
  it.each([
    ['', 0],
    [' ', 1],
    ['{', 1],
    ['{]', 1],
    ['[1 2]', 3],
    ['[1,]', 3],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ['{a:1}', 1],
    ['01', 0],
    ['1.', 0],
    ['nul', 0],
    ['[true}', 5],
    ['"a\u0001"', 2],
    ['"a\\x"', 2],
    ['"abc', 4],
    ['1 1', 2],
    ['\ufeff1', 0],
  ])('finds the fault in %j at %i', (text, position) => {
    expect(jsonErrorPosition(text)).toBe(position);
  });

  it('agrees with JSON.parse on what is JSON', () => {
    const text = fc.oneof(
      fc.json(),
      fc
        .tuple(fc.json(), fc.nat(), fc.constantFrom('{', '}', ',', '"', '\\', '0', '-', 'e', '.', ' ', '\n'))
        .map(
          ([whole, at, extra]) =>
            whole.slice(0, at % (whole.length + 1)) + extra + whole.slice(at % (whole.length + 1)),
        ),
      fc.stringMatching(/^[[\]{}:,"0\-1.eE tnul\\]*$/),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        let isJson = true;
        try {
          JSON.parse(candidate);
        } catch {
          isJson = false;
        }
        expect(jsonErrorPosition(candidate) === -1).toBe(isJson);
      }),
      { numRuns: 3000 },
    );
  });

  it('goes through nesting of any depth', () => {
    expect(jsonErrorPosition('['.repeat(500_000))).toBe(500_000);
  });
});
