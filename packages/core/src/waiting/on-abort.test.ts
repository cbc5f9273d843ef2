import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { offAbort, onAbort } from './on-abort.js';

function followed() {
  const called: string[] = [];
  const controller = new AbortController();
  const { signal } = controller;
  const [a, b, c] = ['a', 'b', 'c'].map((name) => () => void called.push(name)) as [
    Follower,
    Follower,
    Follower,
  ];
  return { called, controller, signal, a, b, c, listeners: () => getEventListeners(signal, 'abort').length };
}
type Follower = () => void;

describe('a signal with many followers', () => {
  it('has one listener, and calls all of them once', () => {
    const { called, controller, signal, a, b, listeners } = followed();
    for (const follower of [a, b]) onAbort(signal, follower);
    expect(listeners()).toBe(1);
    controller.abort();
    expect(called).toEqual(['a', 'b']);
    expect(listeners()).toBe(0);
  });

  it('is released with the last of them, and followed again by the next', () => {
    const { called, controller, signal, a, b, c, listeners } = followed();
    for (const follower of [a, b]) onAbort(signal, follower);
    offAbort(signal, a);
    offAbort(signal, a);
    offAbort(signal, c);
    expect(listeners()).toBe(1);
    offAbort(signal, b);
    expect(listeners()).toBe(0);
    onAbort(signal, c);
    expect(listeners()).toBe(1);
    controller.abort();
    expect(called).toEqual(['c']);
  });

  it("doesn't call one that another took out meanwhile", () => {
    const { called, controller, signal, b, c } = followed();
    onAbort(signal, () => {
      offAbort(signal, b);
    });
    for (const follower of [b, c]) onAbort(signal, follower);
    controller.abort();
    expect(called).toEqual(['c']);
  });

  it('calls nobody who follows it after it fired, as an event target does', () => {
    const { called, controller, signal, a } = followed();
    controller.abort();
    onAbort(signal, a);
    offAbort(signal, a);
    expect(called).toEqual([]);
  });
});
