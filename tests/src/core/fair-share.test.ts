import { connect, lengthPrefixed, listen, raw, type SecureConnection } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const FLOOD_BYTES = 1_048_576;
/** More work for one chunk than a connection's share of a turn, on any machine. */
const WORK_MS = 1;

/** How many chunks of a flood a connection received in each turn of the event loop, until the last. */
async function chunksByTurn(connection: SecureConnection): Promise<number[]> {
  const turns = [0];
  let received = 0;
  return new Promise((resolve) => {
    const nextTurn = (): void => {
      if (received === FLOOD_BYTES) resolve(turns);
      else {
        turns.push(0);
        setImmediate(nextTurn);
      }
    };
    setImmediate(nextTurn);
    connection.onMessage((chunk) => {
      received += chunk.length;
      turns[turns.length - 1]! += 1;
      const until = performance.now() + WORK_MS;
      while (performance.now() < until);
    });
  });
}

/** The smallest piece of a chunk, 1,024 bytes, holds 32 of these. */
const SMALL_BYTES = 32;
const SMALL_COUNT = 1_536;

/** How many small messages a connection received in each turn of the event loop, until the last. */
async function messagesByTurn(connection: SecureConnection): Promise<number[]> {
  const turns = [0];
  let received = 0;
  return new Promise((resolve) => {
    const nextTurn = (): void => {
      if (received === SMALL_COUNT) resolve(turns);
      else {
        turns.push(0);
        setImmediate(nextTurn);
      }
    };
    setImmediate(nextTurn);
    connection.onMessage(() => {
      received += 1;
      turns[turns.length - 1]! += 1;
      const until = performance.now() + WORK_MS / 20;
      while (performance.now() < until);
    });
  });
}

describe('a connection that is flooded', () => {
  it('yields to others between chunks, on a server', async () => {
    let accept!: (turns: Promise<number[]>) => void;
    const counted = new Promise<number[]>((resolve) => (accept = resolve));
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: raw() };
    await using server = await listen(options, (connection) => {
      accept(chunksByTurn(connection));
      connection.write('go');
    });
    await using client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing: raw(),
    });
    client.onMessage(() => client.write(Buffer.alloc(FLOOD_BYTES)));
    const turns = await counted;
    expect(Math.max(...turns)).toBeLessThanOrEqual(2);
  });

  it('yields to others within a chunk of many messages that take long', async () => {
    let accept!: (turns: Promise<number[]>) => void;
    const counted = new Promise<number[]>((resolve) => (accept = resolve));
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: lengthPrefixed() };
    await using server = await listen(options, (connection) => {
      accept(messagesByTurn(connection));
    });
    await using client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing: lengthPrefixed(),
    });
    const message = Buffer.alloc(SMALL_BYTES - 4);
    for (let sent = 0; sent < SMALL_COUNT; sent += 1) client.write(message);
    // How long a message takes is only known once some have been handled.
    const [, ...turns] = (await counted).filter((count) => count > 0);
    expect(turns.length).toBeGreaterThan(1);
    expect(Math.max(...turns)).toBeLessThanOrEqual(2 * (1_024 / SMALL_BYTES + 1));
  });

  it('yields to others between chunks, on a client', async () => {
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: raw() };
    await using server = await listen(options, (connection) => {
      connection.onMessage(() => connection.write(Buffer.alloc(FLOOD_BYTES)));
    });
    await using client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing: raw(),
    });
    const counted = chunksByTurn(client);
    client.write('go');
    const turns = await counted;
    expect(Math.max(...turns)).toBeLessThanOrEqual(2);
  });

  it('is not one that sends a small message now and then, on which the program works for long', async () => {
    let pauses = 0;
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: lengthPrefixed() };
    await using server = await listen(options, (connection) => {
      connection.socket.on('pause', () => (pauses += 1));
      connection.onMessage((message) => {
        const until = performance.now() + WORK_MS;
        while (performance.now() < until);
        connection.write(message);
      });
    });
    const target = {
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing: lengthPrefixed(),
    };
    await using one = await connect(target);
    await using other = await connect(target);
    for (let round = 0; round < 5; round += 1)
      for (const client of [one, other]) expect(String(await client.request('hello'))).toBe('hello');
    expect(pauses).toBe(0);
  });

  it('loses nothing that arrives, is paused or ends in between', async () => {
    const options = { port: 0, host: '127.0.0.1', credentials: world.server, framing: lengthPrefixed() };
    const sent = Array.from({ length: 150 }, (_, index) => Buffer.alloc(1 + ((index * 997) % 25_000), index));
    await using server = await listen(options, (connection) => {
      for (const message of sent) void connection.send(message);
      void connection.close();
    });
    await using client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
      framing: lengthPrefixed(),
    });
    const received: Buffer[] = [];
    client.onMessage((message) => {
      received.push(message);
      const until = performance.now() + WORK_MS;
      while (performance.now() < until);
      if (received.length % 25 === 0) {
        client.pause();
        setImmediate(() => client.resume());
      }
    });
    await client.closed;
    expect(received.length).toBe(sent.length);
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  });
});
