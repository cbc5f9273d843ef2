import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { ManualClock, settled } from '../manual-clock.js';
import { pause } from './pause.js';

function paused(signals: readonly (AbortSignal | undefined)[]) {
  const clock = new ManualClock();
  let over = false;
  void pause(clock, 100, signals).then(() => (over = true));
  return { clock, over: () => over };
}

it('a pause ends after its time, and leaves nothing on the signals', async () => {
  const { signal } = new AbortController();
  const { clock, over } = paused([undefined, signal]);
  await clock.advance(99);
  expect(over()).toBe(false);
  await clock.advance(1);
  expect(over()).toBe(true);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

it('a pause ends early by any of the signals, and leaves no timer', async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const { clock, over } = paused([first.signal, undefined, second.signal]);
  second.abort();
  await settled();
  expect([over(), clock.timers]).toEqual([true, 0]);
  expect(getEventListeners(first.signal, 'abort')).toEqual([]);
});
