import { connect, serve } from '@knsock/core';
import { expect, it } from 'vitest';
import { createWorld, portOf } from '../support/world.js';

/** How long Linux delays an acknowledgement, in milliseconds; no shorter elsewhere. */
const DELAYED_ACK = 40;

it("doesn't hold back the first request until its WELCOME is acknowledged", async () => {
  const world = await createWorld();
  await using server = await serve(
    { port: 0, host: '127.0.0.1', credentials: world.server },
    ({ payload }) => payload,
  );
  const waits: number[] = [];
  for (let round = 0; round < 10; round += 1) {
    const client = await connect({ host: 'localhost', port: portOf(server), credentials: world.anonymous });
    const since = performance.now();
    await client.request('hello');
    waits.push(performance.now() - since);
    await client.close();
  }
  // If held back, every one of them waits this long; on a busy machine some do by chance.
  expect(Math.min(...waits)).toBeLessThan(DELAYED_ACK);
});
