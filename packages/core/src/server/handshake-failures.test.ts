import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HandshakeError } from '../errors/index.js';
import { HandshakeFailures } from './handshake-failures.js';

const CHANNEL = 'knsock:failure';
let heard: { address: string; error: Error; explanation: unknown; suppressed: number }[];
const listen = (event: unknown): void => void heard.push(event as never);

beforeEach(() => {
  heard = [];
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  unsubscribe(CHANNEL, listen);
  vi.useRealTimers();
});

const failed = () => new HandshakeError('disconnected', '192.0.2.1:1 went away during the handshake');

describe('failed handshakes', () => {
  it('are published with the address, the error and what it means', () => {
    subscribe(CHANNEL, listen);
    new HandshakeFailures().publish('192.0.2.1:1', failed());
    expect(heard).toMatchObject([
      {
        address: '192.0.2.1:1',
        error: { code: 'KNSOCK_HANDSHAKE_DISCONNECTED' },
        explanation: { code: 'KNSOCK_HANDSHAKE_DISCONNECTED' },
        suppressed: 0,
      },
    ]);
  });

  it('are published ten a second at most, with how many were left out', () => {
    subscribe(CHANNEL, listen);
    const failures = new HandshakeFailures();
    for (let n = 0; n < 15; n += 1) failures.publish('192.0.2.1:1', failed());
    expect(heard.map(({ suppressed }) => suppressed)).toEqual(Array.from({ length: 10 }, () => 0));
    vi.advanceTimersByTime(1_000);
    for (let n = 0; n < 2; n += 1) failures.publish('192.0.2.1:1', failed());
    expect(heard.slice(10).map(({ suppressed }) => suppressed)).toEqual([5, 0]);
  });

  it('without a subscriber count neither as published nor as left out', () => {
    const failures = new HandshakeFailures();
    for (let n = 0; n < 15; n += 1) failures.publish('192.0.2.1:1', failed());
    subscribe(CHANNEL, listen);
    failures.publish('192.0.2.1:1', failed());
    expect(heard.map(({ suppressed }) => suppressed)).toEqual([0]);
  });
});
