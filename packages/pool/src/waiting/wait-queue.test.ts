import fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitQueue, type Waiter } from './wait-queue.js';

function waiter(deadline: number): Waiter<number> {
  const ignore = () => undefined;
  return {
    deadline,
    since: 0,
    resolve: ignore,
    reject: ignore,
    leave: undefined,
    previous: undefined,
    next: undefined,
    queued: false,
  };
}

it('behaves like an array from which any waiter may leave', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), value: fc.nat(100) }),
    fc.record({ kind: fc.constant('shift' as const), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('leave' as const), value: fc.nat(20) }),
    fc.record({ kind: fc.constant('expire' as const), value: fc.nat(100) }),
  );
  fc.assert(
    fc.property(fc.array(action), (actions) => {
      const queue = new WaitQueue<number>();
      let model: Waiter<number>[] = [];
      for (const { kind, value } of actions) {
        if (kind === 'add') {
          const next = waiter(value);
          model.push(next);
          queue.add(next);
        } else if (kind === 'shift') {
          expect(queue.shift()).toBe(model.shift());
        } else if (kind === 'leave') {
          const [who] = model.splice(value, 1);
          if (who) expect([queue.remove(who), queue.remove(who)]).toEqual([true, false]);
        } else {
          expect(queue.expired(value)).toEqual(model.filter(({ deadline }) => deadline <= value));
          model = model.filter(({ deadline }) => deadline > value);
        }
        expect([...queue]).toEqual(model);
        expect(queue.size).toBe(model.length);
        expect(queue.earliest()).toBe(Math.min(...model.map(({ deadline }) => deadline)));
      }
    }),
  );
});
