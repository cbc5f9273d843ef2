import { randomBytes } from 'node:crypto';
import { connect, listen, raw } from '@knsock/core';
import { expect, it, vi } from 'vitest';
import { createWorld, portOf } from '../support/world.js';

it('delivers what a client sent, although the client ended at once', async () => {
  const world = await createWorld();
  const settings = { port: 0, host: '127.0.0.1', framing: raw(), credentials: world.server };
  await using server = await listen(settings, async (connection) => {
    let received = '';
    for await (const message of connection) received += String(message);
    await connection.send(`got ${received}`);
  });
  const target = { host: 'localhost', port: portOf(server), framing: raw(), credentials: world.anonymous };
  for (let times = 0; times < 3; times += 1) {
    const stream = (await connect(target)).stream();
    // Bytes and end reach the server together with the end of the handshake.
    stream.end('hello');
    let answer = '';
    for await (const piece of stream as AsyncIterable<Buffer>) answer += piece.toString();
    expect(answer).toBe('got hello');
  }
});

it('delivers what arrived before the connection closed, also when it is read late', async () => {
  const world = await createWorld();
  const settings = { port: 0, host: '127.0.0.1', framing: raw(), credentials: world.server };
  const reply = randomBytes(50_000);
  await using server = await listen(settings, async (connection) => {
    for await (const _ of connection);
    await connection.send(reply);
  });
  const target = { host: 'localhost', port: portOf(server), framing: raw(), credentials: world.anonymous };
  for (let times = 0; times < 5; times += 1) {
    const client = await connect(target);
    const stream = client.stream();
    stream.end('go');
    await vi.waitFor(() => {
      expect(server.stats().connections).toBe(0);
    });
    await vi.waitFor(() => {
      expect(client.socket.destroyed || stream.readableLength > 0).toBe(true);
    });
    const pieces: Buffer[] = [];
    for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(reply)).toBe(true);
    await client.closed;
  }
});
