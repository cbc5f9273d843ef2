import { createHash, randomBytes } from 'node:crypto';
import { connect, knsock, lengthPrefixed, lines, listen, type Framing } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

const framings: Readonly<Record<string, () => Framing>> = {
  lines,
  'length-prefixed': lengthPrefixed,
  knsock,
};

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

/** Messages of many sizes without line ends, and the hash of each. */
function messages(): { sent: Buffer[]; hashes: string[] } {
  const sizes = [1, 100_000, 16_384, 16_380, 3, 400_000, 65_536, 50_000, 200, 262_145];
  const sent = sizes.map((size) => Buffer.from(randomBytes(size).toString('hex')));
  return { sent, hashes: sent.map(hashOf) };
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('lent messages over TLS', () => {
  it.each(Object.keys(framings))(
    'arrive as they were sent, on both sides and beside another connection: %s',
    async (name) => {
      const framing = framings[name]?.() as Framing;
      const { sent, hashes } = messages();
      await using server = await listen(
        { port: 0, host: '127.0.0.1', credentials: world.server, framing },
        (connection) => {
          connection.onMessage((message) => connection.write(message), { lend: true, poison: true });
        },
      );
      const options = {
        host: '127.0.0.1',
        port: portOf(server),
        servername: 'localhost',
        credentials: world.client,
      };
      const received = await Promise.all(
        [1, 2].map(async () => {
          const client = await connect({ ...options, framing });
          const back: string[] = [];
          const done = new Promise<void>((resolve) => {
            client.onMessage(
              (message) => {
                back.push(hashOf(message));
                if (back.length === sent.length) resolve();
              },
              { lend: true, poison: true },
            );
          });
          for (const message of sent) await client.send(message);
          await done;
          await client.close();
          return back;
        }),
      );
      expect(received).toEqual([hashes, hashes]);
    },
  );
});
