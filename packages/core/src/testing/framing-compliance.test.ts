import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { json, knsock, lengthPrefixed, lines, raw, type Framing } from '../framing/index.js';
import { ProtocolError } from '../errors/index.js';
import { checkFraming, framingRules } from './index.js';

const framings: [string, Parameters<typeof framingRules>[0], 'kept' | 'lost'][] = [
  ['raw', raw(), 'lost'],
  ['lines', lines(), 'kept'],
  ['knsock', knsock(), 'kept'],
  ['json(lines)', json(lines()), 'kept'],
  ...([1, 2, 4, 8] as const).flatMap((bytes) =>
    (['big', 'little'] as const).map((endian): [string, Framing, 'kept'] => [
      `length-prefixed, ${bytes} bytes, ${endian}`,
      lengthPrefixed({ bytes, endian }),
      'kept',
    ]),
  ),
];

describe.each(framings)('%s', (_, framing, boundaries) => {
  for (const rule of framingRules(framing, { boundaries })) it(rule.name, rule.check);
});

describe('the compliance suite', () => {
  const good = lengthPrefixed();
  const decoding = (
    change: (
      decoder: ReturnType<Framing['decoder']>,
      limit: number,
    ) => Partial<ReturnType<Framing['decoder']>>,
  ): Framing => ({
    ...good,
    decoder: (limits) => {
      const decoder = good.decoder(limits);
      const own = { push: decoder.push.bind(decoder), end: decoder.end.bind(decoder) };
      return { ...own, ...change(own, limits.maxMessageBytes) };
    },
  });

  it('passes a framing that keeps every rule', () => {
    checkFraming(good);
  });

  it.each<[string, Framing, RegExp]>([
    ['has no name', { ...good, name: '' }, /has a name/],
    [
      'loses messages',
      decoding((decoder) => ({ push: (chunk, sink) => chunk.length !== 3 && decoder.push(chunk, sink) })),
      /unchanged/,
    ],
    [
      'shares one decoder',
      ((one) => ({ ...good, decoder: () => one }))(good.decoder({ maxMessageBytes: 1e6 })),
      /connections apart/,
    ],
    [
      'writes into chunks',
      decoding((decoder) => ({ push: (chunk, sink) => (decoder.push(chunk, sink), void chunk.fill(0)) })),
      /never writes/,
    ],
    [
      'refuses too late',
      {
        ...good,
        encode(payload, out) {
          good.encode(payload, out);
          if (payload.length === 0) throw new ProtocolError('empty');
        },
      },
      /before writing/,
    ],
    [
      'refuses with the wrong error',
      {
        ...good,
        encode: (payload, out) => {
          if (payload.length === 0) throw new Error('empty');
          good.encode(payload, out);
        },
      },
      /cannot express/,
    ],
    [
      'ignores the limit',
      { ...good, decoder: () => good.decoder({ maxMessageBytes: 1e9 }) },
      /up to the limit/,
    ],
    ['ignores truncation', decoding(() => ({ end: () => undefined })), /end inside a message/],
    [
      'throws untyped errors',
      decoding((decoder) => ({
        push(chunk, sink) {
          try {
            decoder.push(chunk, sink);
          } catch (error) {
            if ((error as { size: number }).size > 1e9) throw new RangeError('out of range');
            throw error;
          }
        },
      })),
      /any bytes/,
    ],
    [
      'believes lengths',
      decoding((decoder, limit) => ({
        push: (chunk, sink) => (hold.push(Buffer.allocUnsafeSlow(limit)), decoder.push(chunk, sink)),
      })),
      /only announced/,
    ],
    [
      'hoards chunks',
      decoding((decoder) => ({ push: (chunk, sink) => (hold.push(chunk), decoder.push(chunk, sink)) })),
      /holds on to no chunk/,
    ],
  ])('catches a framing that %s', (_, framing, name) => {
    hold.length = 0;
    const rule = framingRules(framing).find((candidate) => name.test(candidate.name))!;
    expect(() => rule.check()).toThrow();
    hold.length = 0;
  });

  it('names the rule that is broken', () => {
    expect(() => checkFraming({ ...good, alpn: '' })).toThrow(
      /^length-prefixed breaks a rule \(has a name, and/,
    );
  });

  const hold: Buffer[] = [];
});
