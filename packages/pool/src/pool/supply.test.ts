import { expect, it } from 'vitest';
import { creationsWanted, type Situation } from './supply.js';

const calm: Situation = {
  max: 10,
  total: 0,
  live: 0,
  creating: 0,
  checking: 0,
  waiting: 0,
  target: 0,
  another: false,
  failing: false,
};

it.each<[string, Partial<Situation>, number]>([
  ['creates nothing if no caller waits', {}, 0],
  ['creates one for each waiter', { waiting: 3 }, 3],
  ['counts what is being created already', { waiting: 3, total: 2, creating: 2 }, 1],
  ['counts what is being checked', { waiting: 3, total: 1, live: 1, checking: 1 }, 2],
  ['never exceeds max', { waiting: 50, total: 8, live: 8 }, 2],
  ['counts what is being destroyed against max', { waiting: 5, total: 10, live: 7 }, 0],
  ['fills up to the target', { target: 4, total: 1, live: 1 }, 3],
  ['starts a single attempt after a failure', { waiting: 5, failing: true }, 1],
  ['starts no second probe', { waiting: 5, failing: true, total: 1, creating: 1 }, 0],
  ['creates one more to replace superseded ones', { total: 3, live: 3, another: true }, 1],
])('%s', (_, facts, wanted) => {
  expect(creationsWanted({ ...calm, ...facts })).toBe(wanted);
});
