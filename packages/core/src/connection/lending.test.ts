import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../errors/index.js';
import { json, knsock, lengthPrefixed, lines, raw, type Framing } from '../framing/index.js';
import { connectedPair, handMadePair, turn, type SideOptions } from '../testing/connected-pair.js';
import { encodeAll } from '../testing/memory-output.js';
import { POISON, type LentBuffer } from './lending.js';

const framings = { lines, 'length-prefixed': lengthPrefixed, knsock } as const;
type Name = keyof typeof framings;
const names = Object.keys(framings) as Name[];

/** A side whose peer says messages in the chunks that are asked for. */
async function listening(name: Name, options: SideOptions = {}) {
  const framing: Framing = framings[name]();
  const side = await handMadePair(name === 'knsock' ? options : { ...options, framing });
  const say = (messages: readonly Buffer[], sizes: readonly number[]): void => {
    for (const chunk of cut(encodeAll(framing, messages), sizes)) side.peer.stream.write(chunk);
  };
  return { ...side, say };
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await turn();
}

/** Pieces of the given sizes, over and over. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] as number;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** Without line ends, so that every framing takes it. */
const message = fc
  .oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1_000, max: 40_000 }))
  .chain((length) => fc.integer({ min: 14, max: 255 }).map((byte) => Buffer.alloc(length, byte)));

/** Tiny ones among larger ones: of tiny ones alone, large messages would make some 100,000. */
const pieceSizes = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 4 }),
    fc.integer({ min: 1_000, max: 20_000 }),
  )
  .map(([some, large]) => [...some, large]);

describe('onMessage with lend', () => {
  it.each(names)(
    'shows what was sent, however it is cut and whenever the program pauses: %s',
    async (name) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(message, { maxLength: 12 }),
          pieceSizes,
          fc.nat(5),
          async (messages, sizes, pauseAt) => {
            const { connection, say } = await listening(name);
            const seen: string[] = [];
            const take = (payload: LentBuffer): void => {
              seen.push(payload.toString('latin1'));
              if (seen.length === pauseAt) connection.pause();
            };
            connection.onMessage(take, { lend: true, poison: true });
            say(messages, sizes);
            await until(() => seen.length >= Math.min(pauseAt || Infinity, messages.length));
            await turn(); // what comes while it is paused waits
            connection.resume();
            await until(() => seen.length >= messages.length);
            expect(seen.every((text, n) => text === messages[n]?.toString('latin1'))).toBe(true);
            connection.destroy();
          },
        ),
        { numRuns: 15 },
      );
    },
  );

  it.each(names)('puts all messages together in the same memory: %s', async (name) => {
    const { connection, say } = await listening(name);
    const memory = new Set<ArrayBufferLike>();
    let count = 0;
    connection.onMessage(
      (payload) => {
        count += 1;
        memory.add(payload.buffer);
      },
      { lend: true },
    );
    say(
      Array.from({ length: 20 }, () => Buffer.alloc(65_536, 'x')),
      [16_384],
    );
    await until(() => count === 20);
    expect(memory.size).toBe(1);
  });

  it('overwrites a message when the listener returns, if it is to poison', async () => {
    const { connection, say } = await listening('length-prefixed');
    const kept: Buffer[] = [];
    connection.onMessage((payload) => void kept.push(payload), { lend: true, poison: true });
    say([Buffer.from('small'), Buffer.alloc(50_000, 'x')], [20_000]);
    await until(() => kept.length === 2);
    expect(kept.map((payload) => payload.every((byte) => byte === POISON))).toEqual([true, true]);
  });

  it('never uses memory of one connection for another', async () => {
    const one = await listening('length-prefixed');
    const other = await listening('length-prefixed');
    const kept: Buffer[] = [];
    one.connection.onMessage((payload) => void kept.push(Buffer.from(payload.buffer)), { lend: true });
    let others = 0;
    other.connection.onMessage(() => void (others += 1), { lend: true });
    const ours = Buffer.alloc(50_000, 'a');
    const theirs = Buffer.alloc(50_000, 'b');
    for (let round = 0; round < 5; round += 1) {
      one.say([ours], [16_384]);
      other.say([theirs], [16_384]);
    }
    await until(() => kept.length === 5);
    one.connection.destroy();
    other.say([theirs], [16_384]);
    await until(() => others === 6);
    expect(kept.some((memory) => memory.includes('b'))).toBe(false);
  });

  it('ends the connection and reports it where the listener returns a promise', async () => {
    const { connection, errors, say } = await listening('length-prefixed');
    connection.onMessage(async () => Promise.reject(new Error('and its own failure')), { lend: true });
    say([Buffer.from('x')], [100]);
    await until(() => errors.length === 2);
    expect(errors.map(({ message: text }) => text)).toEqual([
      expect.stringContaining('returned a promise'),
      'and its own failure',
    ]);
    expect(errors[0]).toBeInstanceOf(InvalidOptionError);
    expect(connection.state).toBe('closed');
  });

  it.each(names)('sends copies of what is lent, here and on other connections: %s', async (name) => {
    const { client, server } = await connectedPair({ framing: framings[name]() });
    const elsewhere = await connectedPair({ framing: framings[name]() });
    const back: Buffer[] = [];
    const relayed: Buffer[] = [];
    client.connection.onMessage((payload) => void back.push(payload));
    elsewhere.client.connection.onMessage((payload) => void relayed.push(payload));
    server.connection.onMessage(
      (payload) => {
        server.connection.write(payload);
        elsewhere.server.connection.write(payload);
      },
      { lend: true, poison: true },
    );
    const sent = [200_000, 10, 150_000, 3].map((size, n) => Buffer.alloc(size, 65 + n));
    for (const payload of sent) client.connection.write(payload);
    await until(() => back.length === sent.length && relayed.length === sent.length);
    expect(back.map(String)).toEqual(sent.map(String));
    expect(relayed.map(String)).toEqual(sent.map(String));
  });

  it('lends messages only: requests and answers beside them belong to the program', async () => {
    const requests: Buffer[] = [];
    const { client, server } = await connectedPair({
      handler: (connection) => {
        connection.onMessage(() => undefined, { lend: true, poison: true });
        connection.onRequest(({ payload }) => {
          requests.push(payload);
          return payload;
        });
      },
    });
    client.connection.onMessage(() => undefined, { lend: true, poison: true });
    const sent = [1, 2, 3].map((n) => Buffer.alloc(100_000, n));
    const answers: Promise<Buffer>[] = [];
    for (const payload of sent) {
      answers.push(client.connection.request(payload));
      client.connection.write(Buffer.alloc(80_000, 'x'));
      server.connection.write(Buffer.alloc(80_000, 'y'));
    }
    expect((await Promise.all(answers)).map(String)).toEqual(sent.map(String));
    expect(requests.map(String)).toEqual(sent.map(String));
  });

  it('answers in order beside lent messages on a framing without ids', async () => {
    const { client, server } = await connectedPair({ framing: lengthPrefixed() });
    server.connection.onRequest(({ payload }) => payload);
    client.connection.onMessage(() => undefined, { lend: true, poison: true });
    const sent = [1, 2].map((n) => Buffer.alloc(100_000, n));
    const answers = await Promise.all(sent.map((payload) => client.connection.request(payload)));
    expect(answers.map(String)).toEqual(sent.map(String));
  });

  it('gives a framing that makes values its values', async () => {
    const framing = json(lengthPrefixed()) as unknown as Framing;
    const { client, server } = await connectedPair({ framing });
    const seen: unknown[] = [];
    server.connection.onMessage((value) => void seen.push(value), { lend: true, poison: true });
    for (const value of ['a'.repeat(100_000), 'b']) client.connection.write(value);
    await until(() => seen.length === 2);
    expect(seen).toEqual(['a'.repeat(100_000), 'b']);
  });

  it('lends the chunks of the raw framing', async () => {
    const { client, server } = await connectedPair({ framing: raw() });
    const seen: string[] = [];
    server.connection.onMessage((chunk) => void seen.push(String(chunk)), { lend: true, poison: true });
    client.connection.write('some bytes');
    await until(() => seen.length > 0);
    expect(seen.join('')).toBe('some bytes');
  });

  it.each([[{ lend: 1 }], [{ lent: true }], [null]])('refuses unknown options: %j', async (options) => {
    const { connection } = await listening('lines');
    expect(() => connection.onMessage(() => undefined, options as never)).toThrow(InvalidOptionError);
  });
});
