import { describe, expect, it } from 'vitest';
import { healthy, recordFailure, share, succeeded, type EndpointFailure, type Health } from './health.js';

const most = (): number => 1;
const fail = (health: Health, how: EndpointFailure, now: number): Health =>
  recordFailure(health, how, now, most);

describe('an endpoint', () => {
  it.each(['unreachable', 'slow'] as const)('that is %s is set aside at once', (how) => {
    expect(fail(healthy, how, 100)).toEqual({ failures: 0, ejections: 1, until: 1_100 });
  });

  it('that leaves requests without an answer is set aside by the third in a row', () => {
    const one = fail(healthy, 'silent', 100);
    const two = fail(one, 'silent', 101);
    expect([one, two].map(({ failures, ejections }) => [failures, ejections])).toEqual([
      [1, 0],
      [2, 0],
    ]);
    expect(fail(two, 'silent', 102)).toEqual({ failures: 0, ejections: 1, until: 1_102 });
    expect(succeeded(two, 102)).toBe(healthy);
  });

  it('is set aside twice as long each time, for half a minute at most', () => {
    let health = healthy;
    const waits: number[] = [];
    for (let now = 0, time = 0; time < 7; time += 1) {
      health = fail(health, 'unreachable', now);
      waits.push(health.until - now);
      now = health.until;
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(recordFailure(healthy, 'slow', 0, () => 0).until).toBe(500);
  });

  it('fails no further while it is set aside', () => {
    const aside = fail(healthy, 'unreachable', 0);
    expect(fail(aside, 'unreachable', 999)).toBe(aside);
    expect(fail(aside, 'unreachable', 1_000).ejections).toBe(2);
    expect(succeeded(aside, 999)).toBe(aside);
  });

  it('is healthy again ten seconds after it came back, and until then remembers', () => {
    const aside = { ...fail(healthy, 'unreachable', 0), failures: 2 };
    expect(succeeded(aside, 1_000)).toEqual({ failures: 0, ejections: 1, until: 1_000 });
    expect(succeeded(aside, 10_999).ejections).toBe(1);
    expect(succeeded(aside, 11_000)).toBe(healthy);
    expect(succeeded(healthy, 5)).toBe(healthy);
  });

  it('gets no share while set aside, then a tenth, then more, then all', () => {
    const aside = fail(healthy, 'unreachable', 0);
    const at = [0, 999, 1_000, 2_000, 6_000, 11_000, 99_000].map((now) => share(aside, now));
    expect(at).toEqual([0, 0, 0.1, 0.1, 0.5, 1, 1]);
    expect(share(healthy, 0)).toBe(1);
    expect(share(fail(healthy, 'silent', 0), 0)).toBe(1);
  });
});
