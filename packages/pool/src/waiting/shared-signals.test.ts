import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { SharedSignals } from './shared-signals.js';

function shared() {
  const told: [string, unknown][] = [];
  const signals = new SharedSignals<string>((member, reason) => void told.push([member, reason]));
  const controller = new AbortController();
  const { signal } = controller;
  return { told, signals, controller, signal, listeners: () => getEventListeners(signal, 'abort').length };
}

describe('a signal shared by many callers', () => {
  test('has one listener, and notifies all of them', () => {
    const { told, signals, controller, signal, listeners } = shared();
    for (const member of ['a', 'b']) signals.add(signal, member);
    expect(listeners()).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(told).toEqual([
      ['a', reason],
      ['b', reason],
    ]);
    expect(listeners()).toBe(0);
  });

  test('is released with the last of them, and listened to again for the next', () => {
    const { told, signals, controller, signal, listeners } = shared();
    for (const member of ['a', 'b']) signals.add(signal, member);
    signals.drop(signal, 'a');
    expect(listeners()).toBe(1);
    signals.drop(signal, 'a');
    signals.drop(signal, 'unknown');
    expect(listeners()).toBe(1);
    signals.drop(signal, 'b');
    expect(listeners()).toBe(0);
    signals.add(signal, 'c');
    expect(listeners()).toBe(1);
    controller.abort();
    expect(told.map(([member]) => member)).toEqual(['c']);
  });

  test('notifies all current callers, also if one leaves during the notification', () => {
    const told: string[] = [];
    const { signal, controller } = shared();
    const signals = new SharedSignals<string>((member) => {
      told.push(member);
      signals.drop(signal, 'b');
    });
    for (const member of ['a', 'b', 'c']) signals.add(signal, member);
    controller.abort();
    expect(told).toEqual(['a', 'b', 'c']);
  });

  test('has no listener without callers', () => {
    const { signals, signal } = shared();
    expect(() => {
      signals.drop(signal, 'a');
    }).not.toThrow();
  });
});
