import { describe, expect, it } from 'vitest';
import { Activity } from './activity.js';

describe('a handler', () => {
  it('is absent or running', () => {
    const activity = new Activity();
    expect(activity.handler(0)).toBe('none');
    activity.beginHandler();
    expect(activity.handler(0)).toBe('running');
    activity.endHandler();
    expect(activity.handler(0)).toBe('none');
  });

  it('that read closed waits for the end, until it takes a message', () => {
    const activity = new Activity();
    activity.beginHandler();
    activity.read(0);
    expect(activity.handler(0)).toBe('waiting-for-end');
    expect(activity.handler(1)).toBe('running');
    activity.read(1);
    expect(activity.handler(1)).toBe('waiting-for-end');
  });

  it('that was notified of the end counts as running, until it reads closed again', () => {
    const activity = new Activity();
    activity.beginHandler();
    activity.read(0);
    activity.told();
    expect(activity.handler(0)).toBe('running');
    activity.read(0);
    expect(activity.handler(0)).toBe('waiting-for-end');
  });
});

describe('listeners', () => {
  it('that read closed during their call wait for the end, and the others count as running', () => {
    const activity = new Activity();
    const working = activity.beginListener(activity.reads);
    const { reads } = activity;
    activity.read(0);
    activity.beginListener(reads);
    expect(activity.listeners).toBe(1);
    activity.endListener(working);
    expect(activity.listeners).toBe(0);
  });

  it('that read closed later are recognised where only one is running', () => {
    const activity = new Activity();
    activity.beginListener(activity.reads);
    activity.read(0);
    expect(activity.listeners).toBe(0);
    activity.beginListener(activity.reads);
    expect(activity.listeners).toBe(2);
  });
});
