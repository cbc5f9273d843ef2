/** The arguments of framings: invalid or missing ones are refused by the factory, or by `listen` and `connect`. */
import {
  connect,
  json,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  type ConnectOptions,
  type Framing,
  type ListenOptions,
} from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { describe, expect, it } from 'vitest';
import { createWorld } from '../support/world.js';

type Loose = (...given: unknown[]) => Framing;
const factories = { json, knsock, lengthPrefixed, lines, raw } as unknown as Record<
  'json' | 'knsock' | 'lengthPrefixed' | 'lines' | 'raw',
  Loose
>;

/** The factory, its arguments, and the option that the error names. */
const refused: [keyof typeof factories, unknown[], string][] = [
  ['json', [], 'framing'],
  ['json', [undefined], 'framing'],
  ['json', [null], 'framing'],
  ['json', ['lines'], 'framing'],
  ['json', [lines], 'framing'],
  ['json', [{}], 'framing'],
  ['json', [{ schema: undefined }], 'framing'],
  ['json', [{ '~standard': { version: 1 } }], 'framing'],
  ['json', [{ name: 'half', encode: () => undefined }], 'framing'],
  ['json', [[lines()]], 'framing'],
  ['json', [lines(), null], 'options'],
  ['json', [lines(), 'schema'], 'options'],
  ['json', [lines(), { '~standard': { version: 1 } }], 'schema'],
  ['json', [lines(), { schema: 7 }], 'schema'],
  ['json', [lines(), { schema: null }], 'schema'],
  ['json', [lines(), { schema: { '~standard': null } }], 'schema'],
  ['json', [lines(), { schema: { '~standard': { version: 2, validate: () => ({}) } } }], 'schema'],
  ['json', [lines(), { maxDepth: -1 }], 'maxDepth'],
  ['json', [lines(), { maxBytes: 0 }], 'maxBytes'],
  ['json', [lines(), { maxbytes: 1 }], 'maxbytes'],
  ['knsock', [{ alpn: 'x' }], 'alpn'],
  ['knsock', [null], 'options'],
  ['lines', [{ endian: 'big' }], 'endian'],
  ['lines', [null], 'options'],
  ['lines', ['\r\n'], 'options'],
  ['lengthPrefixed', [null], 'options'],
  ['lengthPrefixed', [4], 'options'],
  ['lengthPrefixed', ['big'], 'options'],
  ['lengthPrefixed', [{ bytes: 3 }], 'bytes'],
  ['lengthPrefixed', [{ bytes: '4' }], 'bytes'],
  ['lengthPrefixed', [{ bytes: null }], 'bytes'],
  ['lengthPrefixed', [{ endian: 'middle' }], 'endian'],
  ['lengthPrefixed', [{ endian: null }], 'endian'],
  ['lengthPrefixed', [{ size: 4 }], 'size'],
  ['raw', [null], 'options'],
  ['raw', ['http/1.1'], 'options'],
  ['raw', [{ alpn: 7 }], 'alpn'],
  ['raw', [{ alpn: '' }], 'alpn'],
  ['raw', [{ alpn: 'x'.repeat(256) }], 'alpn'],
  ['raw', [{ alpn: 'x', alpnOptional: 'yes' }], 'alpnOptional'],
  ['raw', [{ protocol: 'x' }], 'protocol'],
];

it.each(refused)('%s(…%j) is refused', (name, given, option) => {
  let thrown: unknown;
  try {
    factories[name](...given);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  expect((thrown as { hint: string }).hint).not.toBe('');
});

it('json reports what to pass where it gets no framing', () => {
  expect(() => factories.json()).toThrow(/json\(knsock\(\)\)/);
  expect(() => factories.json({ schema: {} })).toThrow(/json\(knsock\(\), \{ schema \}\)/);
});

const half = (without: string): unknown =>
  Object.fromEntries(Object.entries(lines()).filter(([name]) => name !== without));

/** What `listen`, `connect` and pools receive as a framing. */
const noFramings: [string, unknown][] = [
  ['null', null],
  ['a name', 'lines'],
  ['the factory itself', lines],
  ['an empty object', {}],
  ['one without a name', half('name')],
  ['one without a decoder', half('decoder')],
  ['one without encode', half('encode')],
  ['a decoder that is no function', { ...lines(), decoder: {} }],
  ['a name that is no text', { ...lines(), name: 7 }],
  ['an ALPN that is no text', { ...lines(), alpn: 7 }],
  ['a parse that is no function', { ...lines(), parse: true }],
  ['a print that is no function', { ...lines(), print: 'x' }],
];

describe.each(noFramings)('%s instead of a framing', (_, framing) => {
  const refusal = expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'framing' }) as Error;
  const given = { framing: framing as Framing };

  it('is refused by listen, connect and pools', async () => {
    const world = await createWorld();
    const server: ListenOptions = { port: 0, credentials: world.server, ...given };
    const client: ConnectOptions = { host: 'localhost', port: 1, credentials: world.anonymous, ...given };
    await expect(listen(server, () => undefined)).rejects.toEqual(refusal);
    await expect(
      listen({ ...server, framing: [lines(), framing] as never }, () => undefined),
    ).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
    });
    await expect(connect(client)).rejects.toEqual(refusal);
    expect(() => new ConnectionPool({ endpoints: [{ host: 'x', port: 1 }], ...given })).toThrow(refusal);
  });
});
