import { expect, it } from 'vitest';
import { Slots, type SlotState } from './slots.js';

const states: SlotState[] = ['creating', 'idle', 'checking', 'active', 'closing', 'gone'];
const paths: Record<SlotState, SlotState[]> = {
  creating: [],
  idle: ['idle'],
  checking: ['idle', 'checking'],
  active: ['idle', 'active'],
  closing: ['idle', 'closing'],
  gone: ['gone'],
};
const allowed = new Set([
  'creating idle',
  'creating gone',
  'idle active',
  'idle checking',
  'idle closing',
  'checking idle',
  'checking closing',
  'active idle',
  'active closing',
  'closing gone',
]);

it('a slot makes the moves of the table and no other', () => {
  for (const from of states) {
    for (const to of states) {
      const slots = new Slots(1, 'lifo');
      const slot = slots.open(0);
      for (const step of paths[from]) slots.move(slot, step);
      const move = () => slots.move(slot, to);
      if (allowed.has(`${from} ${to}`)) expect(move, `${from} → ${to}`).not.toThrow();
      else expect(move, `${from} → ${to}`).toThrow(RangeError);
    }
  }
});

it('lending and taking back ask the table too', () => {
  for (const from of states) {
    const slots = new Slots(1, 'lifo');
    const slot = slots.open(0);
    for (const step of paths[from]) slots.move(slot, step);
    const [lend, takeBack] = [() => slots.lend(slot), () => slots.takeBack(slot)];
    for (const move of from === 'active' ? [lend] : [takeBack, ...(from === 'idle' ? [] : [lend])])
      expect(move, from).toThrow(RangeError);
  }
  const slots = new Slots(1, 'lifo');
  const slot = slots.open(0);
  slots.move(slot, 'idle');
  slots.lend(slot);
  expect([slots.active, slots.idle]).toEqual([1, 0]);
  slots.takeBack(slot);
  expect([slots.active, slots.idle]).toEqual([0, 1]);
});

it('never opens more than max', () => {
  const slots = new Slots(1, 'lifo');
  const slot = slots.open(0);
  expect(() => slots.open(0)).toThrow(RangeError);
  slots.move(slot, 'gone');
  expect(() => slots.open(0)).not.toThrow();
});

it('counts every state', () => {
  const slots = new Slots(5, 'lifo');
  const [, idle, checking, active, closing] = Array.from({ length: 5 }, () => slots.open(0));
  for (const slot of [idle, checking, active, closing]) slots.move(slot!, 'idle');
  slots.move(checking!, 'checking');
  slots.move(active!, 'active');
  slots.move(closing!, 'closing');
  const { total, live, creating, closing: ending } = slots;
  expect({
    total,
    live,
    creating,
    ending,
    idle: slots.idle,
    active: slots.active,
    checking: slots.checking,
  }).toEqual({
    total: 5,
    live: 3,
    creating: 1,
    ending: 1,
    idle: 1,
    active: 1,
    checking: 1,
  });
});
