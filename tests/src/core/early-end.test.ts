import { connect, listen, raw } from '@knsock/core';
import { expect, it } from 'vitest';
import { createWorld, portOf } from '../support/world.js';

it('hands over what a client sent, although the client ended at once', async () => {
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
