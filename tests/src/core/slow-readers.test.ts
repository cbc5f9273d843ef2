/** A peer that reads slowly, but reads: it isn't taken for one that doesn't, however large what is sent to it. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import {
  knsock,
  lengthPrefixed,
  lines,
  listen,
  raw,
  type Framing,
  type SecureConnection,
} from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { welcome } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const SIZE = 32_000_000;
/** A fraction of what the peer takes for it all, and several times what the system takes to ask for more. */
const sendTimeout = 1_000;

/** Reads about 8 MB a second, up to the end. @returns how much that was */
async function readSlowly(port: number, ALPNProtocols: string[], hello: Buffer): Promise<number> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols });
  socket.on('error', () => undefined);
  socket.write(hello);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    const before = bytes;
    bytes += chunk.length;
    if (bytes >> 19 === before >> 19) return;
    socket.pause();
    setTimeout(() => socket.resume(), 60);
  });
  await once(socket, 'close');
  return bytes;
}

type Sender = (connection: SecureConnection) => unknown;
const send: Sender = (connection) => connection.send(Buffer.alloc(SIZE, 'a'));

describe('one large message', () => {
  it.concurrent.each<[string, Framing, Sender]>([
    ['knsock', knsock(), send],
    ['lines', lines(), (connection) => connection.send('a'.repeat(SIZE))],
    ['length-prefixed', lengthPrefixed(), send],
    ['raw', raw(), send],
    ['a stream', raw(), (connection) => void connection.stream().end(Buffer.alloc(SIZE))],
  ])('to it on %s arrives, far beyond sendTimeout', { timeout: 60_000 }, async (name, framing, sendTo) => {
    let closed: Promise<unknown> | undefined;
    const place = { port: 0, host: '127.0.0.1', credentials: world.server, onError: () => undefined };
    await using server = await listen({ ...place, framing, sendTimeout }, async (connection) => {
      closed = connection.closed;
      await sendTo(connection);
      if (name !== 'a stream') void connection.close({ deadline: 50_000 });
    });
    const isKnsock = name === 'knsock';
    const hello = isKnsock ? welcome : Buffer.alloc(0);
    const since = performance.now();
    const bytes = await readSlowly(portOf(server), isKnsock ? ['knsock/1'] : [], hello);
    expect(performance.now() - since).toBeGreaterThan(2 * sendTimeout);
    expect(bytes).toBeGreaterThanOrEqual(SIZE);
    expect(await closed).not.toHaveProperty('unsentBytes');
  });
});
