import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, it } from 'vitest';
import { lines } from '../framing/index.js';
import { channels } from '../observe/channels.js';
import { connectedPair, turn } from '../testing/connected-pair.js';
import { followAsked, publishAnswering } from './traffic-events.js';

const heard: Record<string, unknown>[] = [];
const listener = (message: unknown): void => void heard.push(message as Record<string, unknown>);
const watch = (...names: (string | symbol)[]): void => {
  for (const name of names) subscribe(name, listener);
};
afterEach(() => {
  for (const { name } of [channels.message, channels.request]) unsubscribe(name, listener);
  heard.length = 0;
});

describe('a subscriber', () => {
  it.each([undefined, lines()])('hears of every message, both ways', async (framing) => {
    watch(channels.message.name);
    const { client, server } = await connectedPair({ ...(framing && { framing }) });
    client.connection.write('12345');
    await turn();
    expect(heard).toEqual([
      { connection: client.connection.id, direction: 'out', bytes: 5 },
      { connection: server.connection.id, direction: 'in', bytes: 5 },
    ]);
  });

  it('receives how requests ended, on both sides', async () => {
    watch(channels.request.name);
    const { client, server } = await connectedPair({
      server: {
        requestHandler: ({ payload }) => {
          if (String(payload) === 'bad') throw new Error('no');
          return 'fine';
        },
      },
    });
    await client.connection.request('good');
    await client.connection.request('bad').catch(() => undefined);
    await turn();
    const of = (id: number) => heard.filter(({ connection }) => connection === id);
    expect(of(client.connection.id)).toMatchObject([
      { direction: 'out', ok: true, error: null, ms: expect.any(Number) as number },
      { direction: 'out', ok: false, error: { remoteCode: 'internal' } },
    ]);
    expect(of(server.connection.id)).toMatchObject([
      { direction: 'in', ok: true, error: null },
      { direction: 'in', ok: false, error: { message: 'no' } },
    ]);
    for (const { ms } of heard) expect(ms).toBeGreaterThanOrEqual(0);
  });
});

it('costs a request nothing more without subscribers', () => {
  const answer = Promise.resolve('a');
  expect(followAsked({ id: 1 }, answer)).toBe(answer);
  expect(publishAnswering({ id: 1 })).toBeNull();
});
