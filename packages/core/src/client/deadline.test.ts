import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DialProgress } from '../transport/dial.js';
import { parseConnect } from './config.js';
import { Deadline } from './deadline.js';

const config = (signal?: AbortSignal) =>
  parseConnect({ host: 'db.test', port: 5433, connectTimeout: 1_000, signal });

describe('the deadline of a connect', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<[DialProgress['phase'], string]>([
    ['dns', 'its name to be resolved'],
    ['tcp', 'a TCP connection'],
    ['tls', 'the TLS handshake'],
    ['welcome', 'the server to accept the connection'],
  ])('names what it waited for: %s', (phase, words) => {
    const progress: DialProgress = { phase: 'dns' };
    const { signal } = new Deadline(config(), progress);
    progress.phase = phase;
    vi.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(signal.reason).toMatchObject({
      code: 'KNSOCK_CONNECT_TIMEOUT',
      phase,
      ms: 1_000,
      message: `connecting to db.test:5433 took over 1000 ms, waiting for ${words}`,
    });
  });

  it("passes on the caller's reason", () => {
    const controller = new AbortController();
    const { signal } = new Deadline(config(controller.signal), { phase: 'tcp' });
    const reason = new Error('no more');
    controller.abort(reason);
    expect(signal.reason).toBe(reason);
    vi.advanceTimersByTime(2_000);
    expect(signal.reason).toBe(reason);
  });

  it("is over once it was cleared, and leaves no listener on the caller's signal", () => {
    const controller = new AbortController();
    const deadline = new Deadline(config(controller.signal), { phase: 'tcp' });
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    deadline.clear();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
    controller.abort(new Error('too late'));
    expect(deadline.signal.aborted).toBe(false);
  });
});
