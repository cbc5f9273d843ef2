import { expect, it } from 'vitest';
import { ManualClock } from '../manual-clock.js';
import { Housekeeper } from './housekeeper.js';

function kept(next: (now: number) => number = () => Infinity) {
  const clock = new ManualClock();
  const swept: number[] = [];
  const housekeeper = new Housekeeper(clock, (now) => {
    swept.push(now);
    return next(now);
  });
  return { clock, swept, housekeeper };
}

it('sweeps at the earliest time that was noted, and once', async () => {
  const { clock, swept, housekeeper } = kept();
  for (const due of [300, 100.5, 200]) housekeeper.note(due);
  expect(clock.timers).toBe(1);
  await clock.advance(1_000);
  expect([swept, clock.timers]).toEqual([[101], 0]);
});

it('sweeps again when the sweep says so, or when something new is noted', async () => {
  const { clock, swept, housekeeper } = kept((now) => (now < 30 ? now + 10 : Infinity));
  housekeeper.note(10);
  await clock.advance(100);
  expect(swept).toEqual([10, 20, 30]);
  housekeeper.note(150);
  await clock.advance(100);
  expect(swept).toEqual([10, 20, 30, 150]);
});

it('that was stopped sweeps no more, whatever is noted', async () => {
  const { clock, swept, housekeeper } = kept();
  housekeeper.note(10);
  housekeeper.stop();
  housekeeper.note(5);
  expect(clock.timers).toBe(0);
  await clock.advance(100);
  expect(swept).toEqual([]);
});
