import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../errors/index.js';
import { MemoryOutput } from '../../testing/index.js';
import type { Output } from '../framing.js';
import {
  encodeCancel,
  encodeClose,
  encodeError,
  encodeFrame,
  encodeGoaway,
  encodePing,
  encodePong,
  encodeRefused,
  encodeRejected,
  encodeWelcome,
  FrameDecoder,
  Kind,
  kindName,
  parseClose,
  parseError,
  parseRefused,
  parseRejected,
  parseWelcome,
} from './index.js';

type Rows = [string, string, string][];

// The page is the specification; this test holds the code to every example on it.
const page = readFileSync(new URL('../../../../../docs/wire-format.md', import.meta.url), 'utf8');
const [valid, tolerated, malformed] = tables('Test vectors') as [Rows, Rows, Rows];
const [example] = tables('An example') as [Rows];

/** The fields of a frame as the page writes them; payload and token in hex. */
interface Fields {
  kind: keyof typeof Kind;
  maxMessage: number;
  maxInFlight: number;
  features?: Record<string, string>;
  id: number;
  lastId: number;
  payload: string;
  token: string;
  reason: string;
  code: string;
  text: string;
}

describe('docs/wire-format.md', () => {
  it('has vectors for every kind of frame', () => {
    const kinds = new Set(valid.map(([, json]) => fields(json).kind));
    expect([...kinds].sort()).toEqual(Object.keys(Kind).sort());
    expect([tolerated.length > 0, malformed.length > 0, example.length > 0]).toEqual([true, true, true]);
  });

  it.each(valid)('%s is encoded as the page says', (_, json, bytes) => {
    const out = new MemoryOutput();
    encode(fields(json), out);
    expect(out.bytes().toString('hex')).toBe(hex(bytes).toString('hex'));
  });

  it.each([...valid, ...tolerated])('%s is decoded as the page says', (_, json, bytes) => {
    expect(decode([hex(bytes)])).toEqual([fields(json)]);
    expect(decode([...hex(bytes)].map((byte) => Buffer.of(byte)))).toEqual([fields(json)]);
  });

  it.each(malformed)('%s is refused', (_, bytes) => {
    expect(() => decode([hex(bytes)], 16)).toThrow(ProtocolError);
    expect(() =>
      decode(
        [...hex(bytes)].map((byte) => Buffer.of(byte)),
        16,
      ),
    ).toThrow(ProtocolError);
  });

  it.each(example)('its example from the %s, %s, is one whole frame', (_, bytes, meaning) => {
    const [frame] = decode([hex(bytes)]);
    expect(meaning.startsWith(frame!.kind)).toBe(true);
  });

  it('gives every kind the number that the code gives it', () => {
    const [, kinds] = tables('Frames') as [Rows, Rows];
    const listed = Object.fromEntries(
      kinds.map(([number, name]): [string, number] => [name, Number(number)]),
    );
    expect(listed).toEqual(Kind);
  });
});

const encoders: Record<keyof typeof Kind, (fields: Fields, out: Output) => void> = {
  WELCOME: ({ maxMessage, maxInFlight, features = {} }, out) =>
    encodeWelcome(out, {
      maxMessage,
      maxInFlight,
      features: new Map(Object.entries(features).map(([name, parameters]) => [name, hex(parameters)])),
    }),
  REFUSED: (f, out) => encodeRefused(out, f.reason, f.text),
  MESSAGE: (f, out) => encodeFrame(Kind.MESSAGE, 0, hex(f.payload), out),
  REQUEST: (f, out) => encodeFrame(Kind.REQUEST, f.id, hex(f.payload), out),
  RESPONSE: (f, out) => encodeFrame(Kind.RESPONSE, f.id, hex(f.payload), out),
  ERROR: (f, out) => encodeError(out, f.id, f.code, f.text),
  CANCEL: (f, out) => encodeCancel(out, f.id),
  REJECTED: (f, out) => encodeRejected(out, f.id, f.reason as 'busy', f.text),
  GOAWAY: (f, out) => encodeGoaway(out, f.lastId),
  CLOSE: (f, out) => encodeClose(out, 'code' in f ? f : undefined),
  PING: (f, out) => encodePing(out, hex(f.token)),
  PONG: (f, out) => encodePong(out, hex(f.token)),
};

const parsers: Record<keyof typeof Kind, (id: number, body: Buffer) => object> = {
  WELCOME: (_, body) => {
    const { features, ...limits } = parseWelcome(body);
    if (features.size === 0) return limits;
    const shown = [...features].map(([name, parameters]) => [name, parameters.toString('hex')] as const);
    return { ...limits, features: Object.fromEntries(shown) };
  },
  REFUSED: (_, body) => parseRefused(body),
  MESSAGE: (_, body) => ({ payload: body.toString('hex') }),
  REQUEST: (id, body) => ({ id, payload: body.toString('hex') }),
  RESPONSE: (id, body) => ({ id, payload: body.toString('hex') }),
  ERROR: (id, body) => ({ id, ...parseError(body) }),
  CANCEL: (id) => ({ id }),
  REJECTED: (id, body) => ({ id, ...parseRejected(body) }),
  GOAWAY: (lastId) => ({ lastId }),
  CLOSE: (_, body) => ({ ...parseClose(body) }),
  PING: (_, body) => ({ token: body.toString('hex') }),
  PONG: (_, body) => ({ token: body.toString('hex') }),
};

function encode(frame: Fields, out: Output): void {
  encoders[frame.kind](frame, out);
}

function decode(chunks: Buffer[], maxMessageBytes = 1 << 20): Fields[] {
  const frames: Fields[] = [];
  const decoder = new FrameDecoder({ maxMessageBytes });
  const sink = {
    frame(kind: number, id: number, body: Buffer) {
      const name = kindName(kind) as keyof typeof Kind;
      frames.push({ kind: name, ...parsers[name](id, body) } as Fields);
    },
  };
  for (const chunk of chunks) decoder.push(chunk, sink);
  if (maxMessageBytes > 16) decoder.end();
  return frames;
}

/** The tables of a section, each a list of rows of cells without backquotes. */
function tables(title: string): string[][][] {
  const section = page.split(`\n## ${title}\n`)[1]!.split('\n## ')[0]!;
  return section
    .split(/\n\n+/)
    .map((block) => block.trim())
    .filter((block) => block.startsWith('| '))
    .map((block) => block.split('\n').slice(2).map(cells));
}

function cells(row: string): string[] {
  const inner = row.slice(2, -2);
  return inner.split(' | ').map((cell) => cell.replaceAll('`', ''));
}

function fields(json: string): Fields {
  return JSON.parse(json) as Fields;
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}
