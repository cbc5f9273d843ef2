import { describe, expect, it } from 'vitest';
import { pick, turns, type Candidate } from './balance.js';
import { healthy, type Health } from './health.js';

interface Named extends Candidate {
  readonly name: string;
}

const aside = (until: number): Health => ({ failures: 0, ejections: 1, until });
const candidate = (name: string, facts: Partial<Candidate> = {}): Named => ({
  name,
  health: healthy,
  load: 0,
  connections: 0,
  called: false,
  ...facts,
});
/** Draws these numbers, one after the other, and then the last again. */
function draws(...numbers: number[]): () => number {
  let next = 0;
  return () => numbers[Math.min(next++, numbers.length - 1)] as number;
}
const names = (endpoints: readonly Named[]): string => endpoints.map(({ name }) => name).join('');

describe('the next request', () => {
  it('goes to the only one there is, healthy or not', () => {
    const only = candidate('a', { health: aside(9_999) });
    expect(pick([only], 0, draws(0))).toBe(only);
  });

  it('goes to the one of two drawn that has less to do, to the first among equals', () => {
    const [busy, idle, other] = [
      candidate('a', { load: 5 }),
      candidate('b', { load: 1 }),
      candidate('c', { load: 5 }),
    ];
    expect(pick([busy, idle], 0, draws(0)).name).toBe('b');
    expect(pick([busy, idle], 0, draws(0.9)).name).toBe('b');
    expect(pick([busy, other], 0, draws(0)).name).toBe('a');
    expect(pick([busy, other], 0, draws(0.9)).name).toBe('c');
    // Of three, the two drawn are all that count.
    expect(pick([busy, other, idle], 0, draws(0, 0)).name).toBe('a');
  });

  it('skips an endpoint that is set aside', () => {
    const endpoints = [candidate('a', { health: aside(1_000) }), candidate('b', { load: 99 })];
    for (const lot of [0, 0.5, 0.99]) expect(pick(endpoints, 0, draws(lot)).name).toBe('b');
  });

  it('goes to a recovering one as often as its share says', () => {
    const endpoints = [candidate('a', { health: aside(0) }), candidate('b', { load: 1 })];
    // Half of its time is over.
    expect(pick(endpoints, 5_000, draws(0.49, 0)).name).toBe('a');
    expect(pick(endpoints, 5_000, draws(0.5, 0)).name).toBe('b');
  });

  it('goes to a recovering one if there is no other, and none was drawn', () => {
    const endpoints = [candidate('a', { health: aside(0) }), candidate('b', { health: aside(9_000) })];
    expect(pick(endpoints, 100, draws(0.99)).name).toBe('a');
  });

  it('goes to the one due back soonest if all are set aside', () => {
    const endpoints = [candidate('a', { health: aside(3_000) }), candidate('b', { health: aside(2_000) })];
    for (const lot of [0, 0.99]) expect(pick(endpoints, 0, draws(lot)).name).toBe('b');
  });
});

describe('a new connection', () => {
  it('is tried where it is reserved, then where there are fewest, then at random', () => {
    const endpoints = [
      candidate('a', { connections: 2 }),
      candidate('b', { connections: 1 }),
      candidate('c', { connections: 1 }),
      candidate('d', { connections: 9, called: true }),
    ];
    expect(names(turns(endpoints, 0, draws(0.1, 0.9, 0.2, 0.3)))).toBe('dcba');
    expect(names(turns(endpoints, 0, draws(0.1, 0.2, 0.9, 0.3)))).toBe('dbca');
  });

  it('is tried last at endpoints that are set aside, first of these at the one due back first', () => {
    const endpoints = [
      candidate('a', { health: aside(3_000) }),
      candidate('b', { health: aside(2_000), connections: 5 }),
      candidate('c', { connections: 7 }),
      candidate('d', { health: aside(1_000), connections: 9 }),
    ];
    expect(names(turns(endpoints, 0, draws(0.5)))).toBe('cdba');
  });
});
