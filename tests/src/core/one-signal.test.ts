/** One signal, such as that of a shutdown, for everything that a program does at once. */
import { getEventListeners } from 'node:events';
import { connect, knsock, lengthPrefixed, lines, serve, type Framing } from '@knsock/core';
import { ConnectionPool } from '@knsock/pool';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
const warnings: string[] = [];
/** Warnings of a leak: other files' tests in this process may still cause others. */
const warned = ({ name, message }: Error): void => {
  if (name === 'MaxListenersExceededWarning') warnings.push(message);
};
beforeAll(async () => {
  world = await createWorld();
  process.on('warning', warned);
});
afterAll(() => process.off('warning', warned));

type Client = Awaited<ReturnType<typeof connect>>;

const MANY = 30;
const each = <T>(make: () => T): T[] => Array.from({ length: MANY }, make);

describe.each<[string, () => Framing]>([
  ['knsock', () => knsock()],
  ['length-prefixed', () => lengthPrefixed()],
  ['lines', () => lines()],
])('one signal for many calls at once on %s', (_, framing) => {
  it('makes Node warn of no leak, and ends all of them', async () => {
    const held: (() => void)[] = [];
    const { signal, abort } = aborter();
    const answer = ({ payload }: { payload: Buffer }) =>
      String(payload) === 'now' ? 'done' : new Promise<string>((resolve) => held.push(() => resolve('late')));
    const local = { port: 0, host: '127.0.0.1', credentials: world.server, framing: framing() };
    await using server = await serve(local, answer);
    const to = { host: 'localhost', port: portOf(server), credentials: world.anonymous, framing: framing() };
    const clients = await Promise.all(each(() => connect({ ...to, signal })));
    const [client, other] = clients as [Client, Client];
    await Promise.all(each(() => client.request('now', { signal })));
    await using pool = new ConnectionPool({
      endpoints: [{ host: to.host, port: to.port }],
      credentials: world.anonymous,
      framing: framing(),
      max: 2,
    });
    await Promise.all(each(() => pool.request('now', { signal })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);

    const reason = new Error('shutting down');
    const calls = [
      ...each(() => client.request('later', { signal })),
      ...each(() => other.receive({ signal })),
      ...each(() => pool.request('later', { signal })),
    ];
    const ends = Promise.allSettled(calls);
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(2);
    abort(reason);
    const reasons = (await ends).map((end) =>
      end.status === 'rejected' ? (end.reason as Error) : end.status,
    );
    for (const end of reasons)
      expect(end === reason || (end as { cause?: unknown }).cause === reason).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    for (const release of held) release();
    for (const one of clients) await one.close();
    expect(warnings).toEqual([]);
  });
});

function aborter() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: (reason: Error): void => controller.abort(reason) };
}
