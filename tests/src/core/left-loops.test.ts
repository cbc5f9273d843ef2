/** A program that leaves its loop over the messages may come back for the rest. */
import { connect, json, knsock, lengthPrefixed, lines, listen, type Framing } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const framings: [string, () => Framing<unknown, string>][] = [
  ['knsock', () => knsock()],
  ['length-prefixed', () => lengthPrefixed()],
  ['lines', () => lines()],
  ['json', () => json(lines())],
];

describe.each(framings)('after a loop that was left early on %s', (_, framing) => {
  async function pair() {
    const local = { port: 0, host: '127.0.0.1', credentials: world.server, framing: framing() };
    const server = await listen(local, async (connection) => {
      for (let count = 0; count < 20; count += 1) await connection.send(`message ${count}`);
      await connection.closed;
    });
    const to = { host: 'localhost', port: portOf(server), credentials: world.anonymous, framing: framing() };
    const client = await connect(to);
    for await (const message of client) if (String(message) === 'message 4') break;
    return { server, client };
  }

  it('what was left is received by a later call or loop, also after the end', async () => {
    const { server, client } = await pair();
    expect(String(await client.receive())).toBe('message 5');
    for await (const message of client) if (String(message) === 'message 9') break;
    await server.close();
    const rest: string[] = [];
    for await (const message of client) rest.push(String(message));
    expect(rest).toEqual(Array.from({ length: 10 }, (__, index) => `message ${index + 10}`));
    await client.close();
  });
});
