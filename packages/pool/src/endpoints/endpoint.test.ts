import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.js';
import { Endpoint, targetOf } from './endpoint.js';

function made() {
  const clock = new ManualClock();
  const endpoint = new Endpoint({ host: 'a.test', port: 1 }, { name: 'p', clock, random: () => 1 });
  return { clock, endpoint };
}

describe('an endpoint', () => {
  it('is connected to by its address, with a server name only where it has one', () => {
    expect(targetOf({ host: 'h', port: 2 })).toStrictEqual({ host: 'h', port: 2 });
    const named = { host: 'h', port: 2, servername: 's' };
    expect(targetOf(named)).toStrictEqual(named);
  });

  it('counts what is open, being opened, lent and in flight', () => {
    const { endpoint } = made();
    Object.assign(endpoint, { open: 3, connecting: 2, inFlight: 4 });
    endpoint.lent.add(7);
    expect([endpoint.connections, endpoint.load]).toEqual([5, 5]);
    expect(endpoint.stats()).toEqual({
      endpoint: 'a.test:1',
      connections: 3,
      connecting: 2,
      active: 1,
      requestsInFlight: 4,
      share: 1,
      lastError: undefined,
    });
  });

  it('begins without a call for a connection, and with no answer heard', () => {
    const { endpoint } = made();
    expect([endpoint.called, endpoint.answeredAt]).toEqual([false, -Infinity]);
  });

  it("that is set aside by a failure says so once, and isn't called any more", () => {
    const { endpoint } = made();
    endpoint.called = true;
    const error = new Error('refused');
    expect(endpoint.recordFailure('unreachable', error)).toBe(true);
    expect(endpoint.called).toBe(false);
    expect(endpoint.stats()).toMatchObject({ share: 0, lastError: error });
    endpoint.called = true;
    expect(endpoint.recordFailure('unreachable', error)).toBe(false);
    expect(endpoint.called).toBe(true);
  });

  it("that leaves one request unanswered isn't set aside", () => {
    const { endpoint } = made();
    expect(endpoint.recordFailure('silent', new Error('silent'))).toBe(false);
    expect(endpoint.stats().share).toBe(1);
  });

  it('remembers when it answered, and is healthy once that is long enough after its return', async () => {
    const { clock, endpoint } = made();
    endpoint.recordFailure('unreachable', new Error('refused'));
    await clock.advance(11_000);
    endpoint.answered(clock.now());
    expect(endpoint.answeredAt).toBe(11_000);
    expect(endpoint.health.ejections).toBe(0);
  });

  it('publishes for how long it is set aside, and why', async () => {
    const { clock, endpoint } = made();
    await clock.advance(5_000);
    const heard: unknown[] = [];
    const listen = (event: unknown): void => void heard.push(event);
    const ejected = 'knsock:pool:endpoint-ejected';
    subscribe(ejected, listen);
    const error = new Error('refused');
    endpoint.recordFailure('unreachable', error);
    unsubscribe(ejected, listen);
    expect(heard).toEqual([{ pool: 'p', endpoint: 'a.test:1', ms: 1_000, error }]);
  });
});
