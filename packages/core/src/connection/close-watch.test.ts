import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectedPair, turn } from '../testing/connected-pair.js';
import { watchClose, type Holders } from './close-watch.js';

let warnings: string[];
const heard = ({ message, code }: Error & { code?: string }): void => {
  if (code === 'KNSOCK_CLOSE_WAITS') warnings.push(message);
};

beforeEach(() => {
  warnings = [];
  process.on('warning', heard);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
  process.off('warning', heard);
});

const none = { 'request handler': 0, listener: 0, 'connection handler': 0, stream: 0 };

describe('a close that waits for a second', () => {
  it.each<[string | null, Holders[]]>([
    [null, []],
    [null, [{ where: 'connection 1', counts: none }]],
    [
      'server.close() has waited 1000 ms for 3 request handlers and 1 listener, the first on connection 2. If it was called there, it waits for itself until its deadline: call it there without awaiting it',
      [
        { where: 'connection 1', counts: none },
        { where: 'connection 2', counts: { ...none, 'request handler': 2, listener: 1 } },
        { where: 'connection 3', counts: { ...none, 'request handler': 1 } },
      ],
    ],
  ])('says %s', async (message, holders) => {
    watchClose('server.close()', 15_000, () => holders);
    vi.advanceTimersByTime(999);
    await turn();
    expect(warnings).toEqual([]);
    vi.advanceTimersByTime(1);
    await turn();
    expect(warnings).toEqual(message === null ? [] : [message]);
  });

  it('says nothing where its deadline comes first, or it is done', async () => {
    const holders = [{ where: 'connection 2', counts: { ...none, listener: 1 } }];
    watchClose('server.close()', 1_000, () => holders);
    watchClose('server.close()', 15_000, () => holders)();
    vi.advanceTimersByTime(5_000);
    await turn();
    expect(warnings).toEqual([]);
  });

  it('of a connection in the handler of one of its requests names that handler, and ends at its deadline', async () => {
    const { client, server } = await connectedPair({
      handler: (connection) => {
        connection.onRequest(async () => {
          await Promise.resolve();
          await connection.close({ deadline: 4_000 });
          return 'late';
        });
      },
    });
    client.connection.request('x').catch(() => undefined);
    await turn();
    vi.advanceTimersByTime(1_000);
    await turn();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^connection\.close\(\) has waited 1000 ms for 1 request handler, the first on connection \d+ with 192\.0\.2\.1:4000/,
      ),
    ]);
    vi.advanceTimersByTime(3_000);
    await server.connection.closed;
  });

  it('names nothing of a connection that the program closes while a listener works, which is not waited for', async () => {
    const { client, server } = await connectedPair({
      handler: (connection) => {
        connection.onMessage(() => connection.close());
      },
    });
    client.connection.write('x');
    await turn();
    await server.connection.closed;
    vi.advanceTimersByTime(2_000);
    await turn();
    expect(warnings).toEqual([]);
  });
});
