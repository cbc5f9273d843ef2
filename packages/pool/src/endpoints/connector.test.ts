import { EasySocketError, type ConnectOptions, type SecureConnection } from '@knsock/core';
import { describe, expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { Connector } from './connector.js';
import { Endpoint } from './endpoint.js';

interface Attempt {
  readonly options: ConnectOptions;
  /** Returns how the connection ends, and whether it was destroyed. */
  succeed(): { end: () => void; destroyed: () => boolean };
  fail(error: Error): void;
}

/** A connector whose attempts end when the test says so. */
function connecting(count: number) {
  const clock = new ManualClock();
  const settings = { name: 'p', clock, random: () => 0 };
  const endpoints = Array.from({ length: count }, (_, port) => new Endpoint({ host: 'h', port }, settings));
  const attempts: Attempt[] = [];
  const connect = (options: ConnectOptions) =>
    new Promise<SecureConnection>((resolve, reject) => {
      const succeed = () => {
        const { connection, end, destroyed } = madeConnection(attempts.length);
        resolve(connection);
        return { end, destroyed };
      };
      attempts.push({ options, succeed, fail: reject });
    });
  const options = { host: 'ignored', port: 99, handshakeTimeout: 7 } as ConnectOptions;
  const connector = new Connector({ endpoints, options, connect, clock, random: () => 0.5 });
  return { clock, endpoints, attempts, connector };
}

function madeConnection(id: number) {
  let end = (): void => undefined;
  let destroyed = false;
  const closed = new Promise<void>((resolve) => (end = resolve));
  const connection = { id, closed, destroy: () => (destroyed = true) } as unknown as SecureConnection;
  return { connection, end, destroyed: () => destroyed };
}

const { signal } = new AbortController();
const passing = new EasySocketError('CONNECTION_REFUSED', 'passing', { retryable: true });
const lasting = new EasySocketError('CONNECTION_REFUSED', 'lasting', { retryable: false });

describe('connecting', () => {
  it('goes to the address of the endpoint, with the other options as they are', async () => {
    const { connector, attempts, endpoints } = connecting(1);
    const opening = connector.connect(signal);
    expect(attempts[0]?.options).toMatchObject({ host: 'h', port: 0, handshakeTimeout: 7 });
    attempts[0]?.succeed();
    expect(connector.endpointOf(await opening)).toBe(endpoints[0]);
  });

  it('is counted from the attempt to the end of the connection', async () => {
    const { connector, attempts, endpoints, clock } = connecting(1);
    const [endpoint] = endpoints as [Endpoint];
    await clock.advance(10);
    endpoint.called = true;
    const opening = connector.connect(signal);
    expect([endpoint.connecting, endpoint.open, endpoint.called]).toEqual([1, 0, false]);
    const made = attempts[0]?.succeed();
    const { id } = await opening;
    expect([endpoint.connecting, endpoint.open, endpoint.answeredAt]).toEqual([0, 1, 10]);
    endpoint.lent.add(id);
    made?.end();
    await settled();
    expect([endpoint.open, endpoint.lent.size]).toEqual([0, 0]);
  });

  it('that fails sets the endpoint aside, and continues at once with the next', async () => {
    const { connector, attempts, endpoints } = connecting(2);
    const opening = connector.connect(signal);
    attempts[0]?.fail(lasting);
    await settled();
    expect(endpoints.map(({ connecting: now }) => now)).toEqual([0, 1]);
    expect(endpoints[0]?.stats()).toMatchObject({ share: 0, lastError: lasting });
    attempts[1]?.succeed();
    expect(connector.endpointOf(await opening)).toBe(endpoints[1]);
  });

  it('that fails everywhere fails with a transient failure, if there is one', async () => {
    const { connector, attempts } = connecting(3);
    const failed = expect(connector.connect(signal)).rejects.toBe(passing);
    for (const error of [lasting, passing, new Error('last')]) {
      attempts.at(-1)?.fail(error);
      await settled();
    }
    await failed;
  });

  it('that fails everywhere permanently fails with the last failure', async () => {
    const { connector, attempts } = connecting(2);
    const opening = connector.connect(signal);
    attempts[0]?.fail(new Error('first'));
    await settled();
    attempts[1]?.fail(lasting);
    await expect(opening).rejects.toBe(lasting);
  });

  it('begins with the next after half a second, and a slow endpoint that was overtaken is set aside', async () => {
    const { connector, attempts, endpoints, clock } = connecting(2);
    const opening = connector.connect(signal);
    await clock.advance(499);
    expect(attempts).toHaveLength(1);
    await clock.advance(1);
    attempts[1]?.succeed();
    expect(connector.endpointOf(await opening)).toBe(endpoints[1]);
    const given = attempts[0]?.options.signal as AbortSignal;
    expect(given.aborted).toBe(true);
    attempts[0]?.fail(given.reason as Error);
    await settled();
    expect(endpoints[0]?.stats()).toMatchObject({ share: 0, connecting: 0 });
  });

  it('records no failure for an endpoint whose attempt was aborted because an earlier one succeeded', async () => {
    const { connector, attempts, endpoints, clock } = connecting(2);
    const opening = connector.connect(signal);
    await clock.advance(500);
    attempts[0]?.succeed();
    await opening;
    attempts[1]?.fail((attempts[1].options.signal as AbortSignal).reason as Error);
    await settled();
    expect(endpoints[1]?.stats()).toMatchObject({ share: 1, lastError: undefined });
  });

  it('destroys what is connected too late', async () => {
    const { connector, attempts, clock } = connecting(2);
    const opening = connector.connect(signal);
    await clock.advance(500);
    attempts[1]?.succeed();
    await opening;
    const late = attempts[0]?.succeed();
    await settled();
    expect(late?.destroyed()).toBe(true);
  });

  it('that the caller aborts ends with its reason, whatever failed before, and records no failure', async () => {
    const { connector, attempts, endpoints } = connecting(2);
    const caller = new AbortController();
    const opening = connector.connect(caller.signal);
    attempts[0]?.fail(passing);
    await settled();
    const reason = new Error('enough');
    caller.abort(reason);
    await expect(opening).rejects.toBe(reason);
    attempts[1]?.fail(reason);
    await settled();
    expect(endpoints[1]?.stats()).toMatchObject({ share: 1, lastError: undefined });
  });
});
