import { describe, expect, it } from 'vitest';
import { OnceEvent } from './once-event.js';

describe('an event that happens once', () => {
  it('is published once to all listeners', () => {
    const event = new OnceEvent();
    const told: number[] = [];
    event.listen(() => told.push(1));
    event.listen(() => told.push(2));
    expect([event.isPublished, told]).toEqual([false, []]);
    event.publish();
    event.publish();
    expect([event.isPublished, told]).toEqual([true, [1, 2]]);
  });

  it('is published to later listeners, and not within their call', async () => {
    const event = new OnceEvent();
    event.publish();
    let told = 0;
    event.listen(() => (told += 1));
    expect(told).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(1);
  });

  it('is published to a listener added while it is being published', async () => {
    const event = new OnceEvent();
    let told = 0;
    event.listen(() => {
      event.listen(() => (told += 1));
    });
    event.publish();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBe(1);
  });
});
