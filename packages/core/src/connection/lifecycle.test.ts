import { describe, expect, it } from 'vitest';
import {
  beginning,
  mayAnswer,
  maySend,
  next,
  transitions,
  type Decision,
  type EndWords,
  type LifecycleAction,
  type LifecycleEvent,
  type LifecycleState,
  type LocalState,
  type Outstanding,
  type RemoteState,
} from './lifecycle.js';

const nothing: Outstanding = {
  incoming: 0,
  wanted: 0,
  outgoing: 0,
  queuedBytes: 0,
  unread: 0,
  listeners: 0,
  handler: 'none',
  parked: false,
  onlyPushes: false,
  raw: 'none',
  endIsOurs: false,
};
const OPEN: LifecycleState = { local: { is: 'open' }, remote: { is: 'open' } };

const locals: LocalState[] = [
  { is: 'opening' },
  { is: 'open' },
  { is: 'draining', by: 'program', hurried: false },
  { is: 'draining', by: 'program', hurried: true },
  { is: 'draining', by: 'library', hurried: false },
  { is: 'draining', by: 'library', hurried: true },
  { is: 'closing', why: 'agreed' },
  { is: 'closing', why: 'failed' },
  { is: 'closed' },
];
const remotes: RemoteState[] = [
  { is: 'open' },
  { is: 'draining' },
  { is: 'finished', clean: true },
  { is: 'finished', clean: false },
  { is: 'finished', clean: 'unknown' },
  { is: 'gone' },
];
const events: LifecycleEvent[] = [
  { is: 'opened' },
  { is: 'close', by: 'program' },
  { is: 'close', by: 'library' },
  { is: 'hurry' },
  { is: 'peer-draining' },
  { is: 'peer-finished', clean: true },
  { is: 'peer-finished', clean: false },
  { is: 'peer-finished', clean: 'unknown' },
  { is: 'progress' },
  { is: 'failed', how: 'tell-peer' },
  { is: 'failed', how: 'mute' },
  { is: 'failed', how: 'said-by-peer' },
  { is: 'expired' },
  { is: 'gone' },
];
const words: EndWords[] = ['frame', 'stream-end'];
const outstandings: Outstanding[] = [
  nothing,
  { ...nothing, incoming: 1 },
  { ...nothing, incoming: 1, wanted: 1 },
  { ...nothing, outgoing: 1 },
  { ...nothing, queuedBytes: 1 },
  { ...nothing, unread: 1 },
  { ...nothing, listeners: 1 },
  { ...nothing, handler: 'running' },
  { ...nothing, handler: 'running', parked: true },
  { ...nothing, handler: 'running', onlyPushes: true },
  { ...nothing, handler: 'waiting-for-end' },
  { ...nothing, raw: 'open' },
  { ...nothing, raw: 'sent' },
  { ...nothing, raw: 'finished' },
  { ...nothing, endIsOurs: true },
];

interface Cell {
  readonly from: LifecycleState;
  readonly event: LifecycleEvent;
  readonly outstanding: Outstanding;
  readonly words: EndWords;
  readonly decision: Decision;
}

/** Both sides change together at the beginning and at the end. */
function isPossible(local: LocalState, remote: RemoteState): boolean {
  if (local.is === 'opening') return remote.is === 'open';
  return (local.is === 'closed') === (remote.is === 'gone');
}

const cells: Cell[] = locals.flatMap((local) =>
  remotes
    .filter((remote) => isPossible(local, remote))
    .flatMap((remote) =>
      events.flatMap((event) =>
        outstandings.flatMap((outstanding) =>
          words.map((how): Cell => {
            const from = { local, remote };
            return { from, event, outstanding, words: how, decision: next(from, event, outstanding, how) };
          }),
        ),
      ),
    ),
);

/** What one event does to an open connection. */
function after(event: LifecycleEvent, outstanding: Partial<Outstanding> = {}, how: EndWords = 'frame') {
  return run(OPEN, [event], { ...nothing, ...outstanding }, how);
}

/** Several events in a row, and everything they cause. */
function run(from: LifecycleState, steps: LifecycleEvent[], outstanding: Outstanding, how: EndWords) {
  let state = from;
  const actions: LifecycleAction[] = [];
  for (const step of steps) {
    const decision = next(state, step, outstanding, how);
    ({ state } = decision);
    actions.push(...decision.actions);
  }
  return { local: state.local.is, remote: state.remote.is, actions };
}

describe('the table of transitions', () => {
  it('is right in every cell', () => {
    for (const { from, event, decision } of cells) {
      const legal = transitions[event.is][from.local.is];
      expect(legal, `${from.local.is} by ${event.is}`).toContain(decision.state.local.is);
    }
  });

  it('lists no transition that never happens', () => {
    for (const [event, row] of Object.entries(transitions)) {
      for (const [from, legal] of Object.entries(row)) {
        const seen = cells.filter((cell) => cell.event.is === event && cell.from.local.is === from);
        const reached = new Set(seen.map(({ decision }) => decision.state.local.is));
        expect([...reached].sort(), `${from} by ${event}`).toEqual([...legal].sort());
      }
    }
  });

  it('never moves a side back', () => {
    const ranks = { open: 0, draining: 1, finished: 2, gone: 3 };
    for (const { from, decision } of cells) {
      expect(ranks[decision.state.remote.is]).toBeGreaterThanOrEqual(ranks[from.remote.is]);
    }
  });

  it('does nothing once closed, and settles everything when it closes and only then', () => {
    for (const { from, decision } of cells) {
      if (from.local.is === 'closed') expect(decision).toEqual({ state: from, actions: [] });
      const closes = from.local.is !== 'closed' && decision.state.local.is === 'closed';
      expect(decision.actions.includes('settle')).toBe(closes);
    }
  });

  it('announces the end once: on the way to closing, after everything else', () => {
    for (const { from, decision } of cells) {
      const said = decision.actions.filter(
        (action) => action === 'announce-end' || action === 'announce-failure',
      );
      expect(said.length).toBeLessThanOrEqual(1);
      if (said.length === 1) {
        expect(mayAnswer(from)).toBe(true);
        expect(decision.state.local.is).toBe('closing');
      }
    }
  });

  it("ends the stream before the peer's own end only where no frame announces it", () => {
    for (const { from, words: how, decision } of cells) {
      if (decision.actions.includes('end-stream') && how === 'frame') {
        expect([from.remote.is, decision.state.remote.is]).toContain('finished');
      }
    }
  });

  it('leaves no state without an exit: everything that waits has a deadline or holds the connection', () => {
    for (const { from, decision } of cells) {
      if (!mayAnswer(from) || decision.state.local.is !== 'closing') continue;
      const bounded = ['await-peer-end', 'linger', 'linger-failed', 'destroy'] as const;
      expect(bounded.some((action) => decision.actions.includes(action))).toBe(true);
    }
  });
});

describe('our own end', () => {
  it('drains first, and ends at once where nothing is in flight', () => {
    const { local, actions } = after({ is: 'close', by: 'program' });
    expect(local).toBe('closing');
    expect(actions).toEqual([
      'announce-draining',
      'publish-draining',
      'fire-signal',
      'fire-signal',
      'announce-end',
      'read-on',
      'await-peer-end',
    ]);
  });

  it.each<[string, Partial<Outstanding>]>([
    ['a request of the peer', { incoming: 1 }],
    ['a request of ours', { outgoing: 1 }],
    ['bytes that wait', { queuedBytes: 1 }],
    ['a message that was not taken', { unread: 1 }],
    ['a listener', { listeners: 1 }],
    ['a handler', { handler: 'running' }],
    ['a raw stream', { raw: 'open' }],
    ['the rest of a raw stream whose own direction has ended', { raw: 'sent' }],
  ])('waits for %s', (_, outstanding) => {
    expect(after({ is: 'close', by: 'library' }, outstanding).local).toBe('draining');
  });

  it.each<[string, Partial<Outstanding>]>([
    ['a handler that only waits for the end', { handler: 'waiting-for-end' }],
    ['a handler that waits for the next message', { handler: 'running', parked: true }],
    ['a handler that has only pushed', { handler: 'running', onlyPushes: true }],
    ['a raw stream that has ended', { raw: 'finished' }],
  ])("doesn't wait for %s", (_, outstanding) => {
    expect(after({ is: 'close', by: 'library' }, outstanding).local).toBe('closing');
  });

  it("doesn't wait for the program's own handlers where the program closes, since they may await it", () => {
    const busy = { handler: 'running', listeners: 1 } as const;
    expect(after({ is: 'close', by: 'program' }, busy).local).toBe('closing');
    const both: LifecycleEvent[] = [
      { is: 'close', by: 'library' },
      { is: 'close', by: 'program' },
    ];
    expect(run(OPEN, both, { ...nothing, ...busy }, 'frame').local).toBe('closing');
  });

  it("reads a stream on by the program's own deadline alone, once its own direction has ended", () => {
    expect(after({ is: 'close', by: 'program' }, { raw: 'sent' }).local).toBe('closing');
    expect(after({ is: 'close', by: 'program' }, { raw: 'open' }).local).toBe('draining');
  });

  it('accepts no more messages once most of the time is over, and asks for the answers', () => {
    const busy = { ...nothing, incoming: 1 };
    const closing = next(OPEN, { is: 'close', by: 'library' }, busy, 'frame');
    expect(maySend(closing.state, () => busy)).toBe(true);
    const hurried = next(closing.state, { is: 'hurry' }, busy, 'frame');
    expect(hurried.actions).toEqual(['hurry-requests']);
    expect([maySend(hurried.state, () => busy), mayAnswer(hurried.state)]).toEqual([false, true]);
  });
});

describe("the peer's end", () => {
  const end = (clean: true | false | 'unknown'): LifecycleEvent[] => [
    { is: 'peer-finished', clean },
    { is: 'progress' },
  ];

  it.each([true, false, 'unknown'] as const)('(clean: %s) is followed where nothing holds us', (clean) => {
    const how = clean === 'unknown' ? 'stream-end' : 'frame';
    const { local, actions } = run(OPEN, end(clean), nothing, how);
    expect(local).toBe('closing');
    expect(actions.slice(-4)).toEqual(['announce-end', 'end-stream', 'read-on', 'linger']);
    expect(actions).toContain('fail-outgoing');
    expect(actions.includes('cancel-incoming')).toBe(how === 'frame');
  });

  it.each<[string, Partial<Outstanding>]>([
    ['bytes that wait', { queuedBytes: 1 }],
    ['a message that may still be taken', { unread: 1 }],
    ['a listener', { listeners: 1 }],
    ['a handler that may owe an answer', { handler: 'running' }],
    ['a raw stream', { raw: 'open' }],
    ['a program that ends its direction itself', { endIsOurs: true }],
  ])('leaves us open for %s, on every framing', (_, outstanding) => {
    for (const clean of [true, false, 'unknown'] as const)
      expect(run(OPEN, end(clean), { ...nothing, ...outstanding }, 'frame').local).toBe('open');
  });

  it("leaves us open for the peer's requests, unless it cancelled them or left without announcing it", () => {
    const busy = { ...nothing, incoming: 1, wanted: 1 };
    expect(run(OPEN, end(true), { ...busy, wanted: 0 }, 'frame').local).toBe('closing');
    expect(run(OPEN, end(true), busy, 'frame').local).toBe('open');
    expect(run(OPEN, end('unknown'), busy, 'stream-end').local).toBe('open');
    expect(run(OPEN, end(false), busy, 'frame').local).toBe('closing');
  });

  it.each<[string, Partial<Outstanding>]>([
    ['only waits for the end', { handler: 'waiting-for-end' }],
    ['has only pushed', { handler: 'running', onlyPushes: true }],
  ])('is followed although a handler %s', (_, outstanding) => {
    for (const clean of [true, false, 'unknown'] as const)
      expect(run(OPEN, end(clean), { ...nothing, ...outstanding }, 'frame').local).toBe('closing');
  });

  it('lets the program send while its work holds us open, and not while we only flush', () => {
    const finished: LifecycleState = { local: { is: 'open' }, remote: { is: 'finished', clean: 'unknown' } };
    expect(maySend(finished, () => ({ ...nothing, handler: 'running', queuedBytes: 9 }))).toBe(true);
    expect(maySend(finished, () => ({ ...nothing, queuedBytes: 9 }))).toBe(false);
  });

  it('before the opening is a failure to open', () => {
    expect(run(beginning, [{ is: 'peer-finished', clean: false }], nothing, 'frame')).toMatchObject({
      local: 'closing',
      actions: ['destroy'],
    });
  });

  it('after our own end ends the stream', () => {
    const closing: LifecycleState = { local: { is: 'closing', why: 'agreed' }, remote: { is: 'open' } };
    const { actions } = run(closing, [{ is: 'peer-finished', clean: true }], nothing, 'frame');
    expect(actions.slice(-2)).toEqual(['end-stream', 'linger']);
  });
});

describe('a failure', () => {
  it('is reported to the peer where possible, and never after our own end', () => {
    expect(after({ is: 'failed', how: 'tell-peer' }).actions[0]).toBe('announce-failure');
    expect(after({ is: 'failed', how: 'said-by-peer' }).actions).not.toContain('announce-failure');
    expect(after({ is: 'failed', how: 'mute' }).actions).toEqual(['destroy']);
    const closing: LifecycleState = { local: { is: 'closing', why: 'agreed' }, remote: { is: 'open' } };
    expect(next(closing, { is: 'failed', how: 'tell-peer' }, nothing, 'frame').actions).toEqual(['destroy']);
  });

  it('before the opening leaves the stream to the code that opens the connection', () => {
    expect(next(beginning, { is: 'failed', how: 'tell-peer' }, nothing, 'frame').actions).toEqual([
      'abandon',
    ]);
  });
});
