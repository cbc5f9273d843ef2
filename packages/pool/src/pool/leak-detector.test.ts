import { describe, expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.js';
import { LeakDetector, stackOfCaller, type Leak } from './leak-detector.js';

function detecting(threshold = 100) {
  const clock = new ManualClock();
  const reports: (Leak & { key: object })[] = [];
  const detector = new LeakDetector<object>(clock, threshold, (leak, key) => reports.push({ ...leak, key }));
  return { clock, reports, detector };
}

describe('a lease', () => {
  it('held too long is reported once, with where it was acquired', async () => {
    const { clock, reports, detector } = detecting();
    const [key, lease] = [{}, {}];
    detector.watch(key, lease, 'here');
    await clock.advance(99);
    expect(reports).toEqual([]);
    await clock.advance(1_000);
    expect(reports).toEqual([{ kind: 'held', held: 100, stack: 'here', key }]);
    expect(clock.timers).toBe(0);
  });

  it("released in time isn't", async () => {
    const { clock, reports, detector } = detecting();
    const [key, lease] = [{}, {}];
    detector.watch(key, lease, 'here');
    await clock.advance(50);
    detector.forget(key);
    await clock.advance(1_000);
    expect(reports).toEqual([]);
  });

  it('each has its own time, by one timer', async () => {
    const { clock, reports, detector } = detecting();
    const leases = [{}, {}, {}];
    for (const lease of leases) {
      detector.watch(lease, lease, 'here');
      expect(clock.timers).toBe(1);
      await clock.advance(30);
    }
    await clock.advance(9);
    expect(reports).toEqual([]);
    await clock.advance(1);
    expect(reports).toHaveLength(1);
    await clock.advance(60);
    expect(reports.map(({ key, held }) => [leases.indexOf(key), held])).toEqual([
      [0, 100],
      [1, 100],
      [2, 100],
    ]);
  });

  it('acquired after a report is watched anew', async () => {
    const { clock, reports, detector } = detecting();
    const lease = {};
    detector.watch(lease, lease, 'first');
    await clock.advance(200);
    detector.watch(lease, lease, 'second');
    await clock.advance(100);
    expect(reports.map(({ stack }) => stack)).toEqual(['first', 'second']);
  });

  it('is watched no longer once the pool has ended', async () => {
    const { clock, reports, detector } = detecting();
    const lease = {};
    detector.watch(lease, lease, 'here');
    detector.stop();
    expect(clock.timers).toBe(0);
    await clock.advance(1_000);
    expect(reports).toEqual([]);
  });
});

it('begins a stack where the caller of the caller stands', () => {
  const acquire = (): string => stackOfCaller();
  function program(): string {
    return acquire();
  }
  expect(program().split('\n')[0]).toContain('program');
});
