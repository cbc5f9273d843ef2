import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import {
  json,
  knsock,
  lengthPrefixed,
  lines,
  raw,
  type Decoder,
  type Framing,
  type MessageSink,
} from '../framing/index.js';
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

it('forgives memory that a process allocates once, beside what decoders keep', () => {
  let spare: Buffer | null = null;
  const learning = withPush((inner, chunk, sink, limit) => {
    if (limit > 1e7) spare ??= Buffer.allocUnsafeSlow(128 * 1_048_576);
    inner.push(chunk, sink);
  });
  expect(() => {
    checkFraming(learning);
  }).not.toThrow();
  expect(spare).not.toBeNull();
});

const good = lengthPrefixed();
const held: Buffer[] = [];

const broken: [string, Framing, RegExp][] = [
  ['has no name', { ...good, name: '' }, /has a name/],
  [
    'loses messages',
    withPush((inner, chunk, sink) => {
      if (chunk.length !== 3) inner.push(chunk, sink);
    }),
    /unchanged/,
  ],
  [
    'shares one decoder',
    ((one) => ({ ...good, decoder: () => one }))(good.decoder({ maxMessageBytes: 1e6 })),
    /connections apart/,
  ],
  [
    'writes into chunks',
    withPush((inner, chunk, sink) => {
      inner.push(chunk, sink);
      chunk.fill(0);
    }),
    /never writes/,
  ],
  ['refuses too late', refusingEmpty(new ProtocolError('empty'), 'after'), /before writing/],
  ['refuses with the wrong error', refusingEmpty(new Error('empty'), 'before'), /cannot express/],
  [
    'ignores the limit',
    { ...good, decoder: () => good.decoder({ maxMessageBytes: 1e9 }) },
    /up to the limit/,
  ],
  [
    'ignores truncation',
    { ...good, decoder: (limits) => Object.assign(good.decoder(limits), { end: () => undefined }) },
    /end inside a message/,
  ],
  [
    'throws untyped errors',
    withPush((inner, chunk, sink) => {
      try {
        inner.push(chunk, sink);
      } catch (cause) {
        throw new RangeError('out of range', { cause });
      }
    }),
    /any bytes/,
  ],
  [
    'believes lengths',
    withPush((inner, chunk, sink, limit) => {
      held.push(Buffer.allocUnsafeSlow(limit));
      inner.push(chunk, sink);
    }),
    /only announced/,
  ],
  [
    "promises copies that it doesn't make",
    {
      ...good,
      decoder(limits) {
        const inner = good.decoder(limits);
        return {
          copiesNext: Infinity,
          push: (chunk, sink) => inner.push(chunk, sink),
          end: (sink) => inner.end(sink),
        };
      },
    },
    /copiesNext speaks of/,
  ],
  [
    'hoards chunks',
    withPush((inner, chunk, sink) => {
      held.push(chunk);
      inner.push(chunk, sink);
    }),
    /holds on to no chunk/,
  ],
];

function withPush(push: (inner: Decoder, chunk: Buffer, sink: MessageSink, limit: number) => void): Framing {
  return {
    ...good,
    decoder(limits) {
      const inner = good.decoder(limits);
      return {
        push: (chunk, sink) => push(inner, chunk, sink, limits.maxMessageBytes),
        end: (sink) => inner.end(sink),
      };
    },
  };
}

function refusingEmpty(error: Error, when: 'before' | 'after'): Framing {
  return {
    ...good,
    encode(payload, out) {
      if (payload.length > 0 || when === 'after') good.encode(payload, out);
      if (payload.length === 0) throw error;
    },
  };
}

describe('the compliance suite', () => {
  it('passes a framing that keeps every rule', () => {
    checkFraming(good);
  });

  it.each(broken)('catches a framing that %s', (_, framing, name) => {
    const rule = framingRules(framing).find((candidate) => name.test(candidate.name))!;
    expect(() => rule.check()).toThrow();
    held.length = 0;
  });

  it('names the rule that is broken', () => {
    expect(() => checkFraming({ ...good, alpn: '' })).toThrow(
      /^length-prefixed breaks a rule \(has a name, and/,
    );
  });
});
