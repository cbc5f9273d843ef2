/** `knsock send` keeps what it asks at once below the limit of the connection's queue, and waits instead of failing. */
import { randomBytes } from 'node:crypto';
import { connect, serve } from '@knsock/core';
import { beforeAll, expect, it } from 'vitest';
import { sendRequests } from '../../../packages/cli/src/sending/send-requests.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const MEBIBYTE = 1_048_576;

it.each([
  ['many of the largest size by default', 12, MEBIBYTE],
  ['each larger than the queue', 3, 5 * MEBIBYTE],
  ['many of middle size', 60, 200_000],
])('messages that are available together wait for answers: %s', async (_, count, size) => {
  const maxMessageBytes = 8 * MEBIBYTE;
  const local = { port: 0, host: '127.0.0.1', credentials: world.server, maxMessageBytes };
  await using server = await serve(local, ({ payload }) => payload);
  const client = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: world.anonymous,
    maxMessageBytes,
  });
  const messages = Array.from({ length: count }, () => randomBytes(size));
  const answers: unknown[] = [];
  const source = (async function* () {
    yield await Promise.resolve(messages);
  })();
  const replies = { print: (answer: unknown) => void answers.push(answer) };
  await sendRequests(client, source, replies, { window: 32, timeout: 10_000 });
  expect(Buffer.concat(answers as Buffer[]).equals(Buffer.concat(messages))).toBe(true);
  await client.close();
});
