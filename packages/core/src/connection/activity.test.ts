import { describe, expect, it } from 'vitest';
import { Activity } from './activity.js';

describe('a handler', () => {
  it('is none, or runs', () => {
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

  it('that was told of the end works on, until it reads closed again', () => {
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
  it('that read closed while they are called wait for the end, and others work', () => {
    const activity = new Activity();
    const working = activity.beginListener(activity.reads);
    const { reads } = activity;
    activity.read(0);
    activity.beginListener(reads);
    expect(activity.listeners).toBe(1);
    activity.endListener(working);
    expect(activity.listeners).toBe(0);
  });

  it('that read closed later are known where they are alone', () => {
    const activity = new Activity();
    activity.beginListener(activity.reads);
    activity.read(0);
    expect(activity.listeners).toBe(0);
    activity.beginListener(activity.reads);
    expect(activity.listeners).toBe(2);
  });
});
