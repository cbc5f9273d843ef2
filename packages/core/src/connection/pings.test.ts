import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pings } from './pings.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pings() {
  const sent: Buffer[] = [];
  return { sent, pings: new Pings((payload) => sent.push(payload)) };
}

describe('Pings', () => {
  it('measures the round trip of each ping by its own number', async () => {
    const { pings: underway, sent } = pings();
    const first = underway.ping(1_000, undefined);
    await vi.advanceTimersByTimeAsync(30);
    const second = underway.ping(1_000, undefined);
    await vi.advanceTimersByTimeAsync(20);
    underway.pong(sent[1] as Buffer);
    underway.pong(sent[0] as Buffer);
    expect(Math.round(await second)).toBe(20);
    expect(Math.round(await first)).toBe(50);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ignores a PONG that answers no PING', () => {
    const { pings: underway } = pings();
    expect(() => {
      underway.pong(Buffer.alloc(8, 9));
    }).not.toThrow();
  });

  it('times out, is aborted, and fails with the connection', async () => {
    const { pings: underway } = pings();
    const late = expect(underway.ping(50, undefined)).rejects.toMatchObject({ phase: 'heartbeat', ms: 50 });
    await vi.advanceTimersByTimeAsync(50);
    await late;
    const controller = new AbortController();
    const aborted = underway.ping(1_000, controller.signal);
    const gone = underway.ping(1_000, undefined);
    controller.abort(new Error('enough'));
    underway.failAll(() => new Error('gone'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(gone).rejects.toThrow('gone');
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
