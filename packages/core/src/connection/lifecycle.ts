/**
 * How a connection lives and ends: the states of both sides, the legal transitions, and one pure function that decides
 * what happens next. `connection-core.ts` performs what it says; nothing else decides about an end.
 *
 * Our side
 *
 *   event          │ opening   │ open             │ draining          │ closing  │ closed
 *   ───────────────┼───────────┼──────────────────┼───────────────────┼──────────┼───────
 *   opened         │ open      │ open             │ draining          │ closing  │ closed
 *   close          │ closing   │ draining closing │ draining closing  │ closing  │ closed
 *   hurry          │ opening   │ open             │ draining closing  │ closing  │ closed
 *   peer-draining  │ opening   │ open             │ draining closing  │ closing  │ closed
 *   peer-finished  │ closing   │ open             │ draining          │ closing  │ closed
 *   progress       │ opening   │ open closing     │ draining closing  │ closing  │ closed
 *   failed         │ closing   │ closing          │ closing           │ closing  │ closed
 *   expired        │ closing   │ closing          │ closing           │ closing  │ closed
 *   gone           │ closed    │ closed           │ closed            │ closed   │ closed
 *
 * The peer's side goes from `open` to `draining`, to `finished` and to `gone`, never back.
 *
 * Rules
 * - `draining`: the end is announced, what is in flight finishes. `closing`: we send nothing more, and read on until the
 *   peer's end or a short deadline. `closed`: the socket is gone.
 * - What holds a connection open is data (`Outstanding`); no part is asked for its opinion.
 * - A program that only waits for the end never holds it. One that has taken the peer's messages may owe an answer, and
 *   holds it until it is done or the deadline passes.
 */
import type { CleanEnd } from './connection-types.js';

/** Our side. Who asked for the end decides whether the program's own handlers hold it up: they may be awaiting it. */
export type LocalState =
  | { readonly is: 'opening' }
  | { readonly is: 'open' }
  | { readonly is: 'draining'; readonly by: 'program' | 'library'; readonly hurried: boolean }
  | { readonly is: 'closing'; readonly why: 'agreed' | 'failed' }
  | { readonly is: 'closed' };

/** The peer's side. */
export type RemoteState =
  | { readonly is: 'open' }
  | { readonly is: 'draining' }
  | { readonly is: 'finished'; readonly clean: CleanEnd }
  | { readonly is: 'gone' };

export interface LifecycleState {
  readonly local: LocalState;
  readonly remote: RemoteState;
}

/** What is going on on a connection: everything that can hold it open. */
export interface Outstanding {
  /** The peer's requests being worked on, without those whose handler only waits for the end. */
  readonly incoming: number;
  /** Our requests waiting for their answer. */
  readonly outgoing: number;
  /** Bytes accepted from the program that the stream hasn't been given yet. */
  readonly queuedBytes: number;
  /** Messages that a program which takes messages hasn't taken, and still might. */
  readonly unread: number;
  /** Asynchronous listeners at work, without those that only wait for the end. */
  readonly listeners: number;
  /** A server's handler: returned, at work, or waiting for nothing but the end. */
  readonly handler: 'none' | 'running' | 'waiting-for-end';
  /** Whether the program waits for the next message. */
  readonly parked: boolean;
  /** Whether the program has only ever pushed: it received nothing, and so owes no answer. */
  readonly onlyPushes: boolean;
  /** The raw bytes taken over as a stream or a relay, which ends each direction itself. */
  readonly raw: 'none' | 'open' | 'finished';
  /** Whether the program was told of the peer's end, and says itself when our direction ends. */
  readonly endIsOurs: boolean;
}

export type LifecycleEvent =
  /** Both sides may send. */
  | { readonly is: 'opened' }
  /** The end is wanted; the program itself asked, or a server, a pool or `maxLifetime` did. */
  | { readonly is: 'close'; readonly by: 'program' | 'library' }
  /** Most of the time for draining is over. */
  | { readonly is: 'hurry' }
  | { readonly is: 'peer-draining' }
  /** The peer sends nothing more. */
  | { readonly is: 'peer-finished'; readonly clean: CleanEnd }
  /** Something outstanding was done. */
  | { readonly is: 'progress' }
  /** The connection can't go on: the peer is told why, or can't be, or said so itself. */
  | { readonly is: 'failed'; readonly how: 'tell-peer' | 'mute' | 'said-by-peer' }
  /** A deadline passed. */
  | { readonly is: 'expired' }
  /** The socket is gone. */
  | { readonly is: 'gone' };

/** What is to be done, in this order. */
export type LifecycleAction =
  /** `open()` resolves. */
  | 'resolve-opening'
  /** Tells the peer that no new request is taken, and takes none of the program either. */
  | 'announce-draining'
  /** Tells `onDraining`'s listeners and the `draining` signals. */
  | 'publish-draining'
  /** Fires `connection.signal`. */
  | 'fire-signal'
  /** Asks for answers now: the signals of requests fire here, and at the peer by CANCEL. */
  | 'hurry-requests'
  /** Our requests fail: no answer can come any more. */
  | 'fail-outgoing'
  /** Fires the signals of the requests being worked on: nobody waits for their answers. */
  | 'cancel-incoming'
  /** The stream of messages ends for the program. */
  | 'end-receiving'
  /** Starts the deadline for what still holds the connection after the peer's end. */
  | 'start-deadline'
  /** Says that we send nothing more, where the framing has a word for it. */
  | 'announce-end'
  /** Says why the connection ends, and takes no more input for anything. */
  | 'announce-failure'
  /** Everything that waits on this side fails. */
  | 'abandon'
  /** Ends our direction of the stream: close_notify, FIN. */
  | 'end-stream'
  /** The same after a failure: what still comes is read away for a short while, then the stream is destroyed. */
  | 'linger-failed'
  /** Reads on, if reading was held. */
  | 'read-on'
  /** Waits a short while for the peer's announcement. */
  | 'await-peer-end'
  /** Waits a short while for the peer to close the stream. */
  | 'linger'
  | 'destroy'
  /** Settles every promise and tells every listener that it is over. */
  | 'settle';

export interface Decision {
  readonly state: LifecycleState;
  readonly actions: Actions;
}

/** How the end of a direction is said: by a frame before the stream's end, or by that end alone. */
export type EndWords = 'frame' | 'stream-end';

type Local = LocalState['is'];
type Actions = readonly LifecycleAction[];

/** The table above, for the test that walks every cell of it. */
export const transitions: Record<LifecycleEvent['is'], Record<Local, readonly Local[]>> = {
  opened: row(['open'], ['open'], ['draining']),
  close: row(['closing'], ['draining', 'closing'], ['draining', 'closing']),
  hurry: row(['opening'], ['open'], ['draining', 'closing']),
  'peer-draining': row(['opening'], ['open'], ['draining', 'closing']),
  'peer-finished': row(['closing'], ['open'], ['draining']),
  progress: row(['opening'], ['open', 'closing'], ['draining', 'closing']),
  failed: row(['closing'], ['closing'], ['closing']),
  expired: row(['closing'], ['closing'], ['closing']),
  gone: row(['closed'], ['closed'], ['closed'], ['closed']),
};

function row(
  opening: readonly Local[],
  open: readonly Local[],
  draining: readonly Local[],
  closing: readonly Local[] = ['closing'],
): Record<Local, readonly Local[]> {
  return { opening, open, draining, closing, closed: ['closed'] };
}

export const beginning: LifecycleState = { local: { is: 'opening' }, remote: { is: 'open' } };

const OPEN: LocalState = { is: 'open' };
const AGREED: LocalState = { is: 'closing', why: 'agreed' };
const FAILED: LocalState = { is: 'closing', why: 'failed' };
const CLOSED: LocalState = { is: 'closed' };
const GONE: RemoteState = { is: 'gone' };
const DRAINING: RemoteState = { is: 'draining' };

/**
 * What happens next.
 * @param words how this connection's framing says that a direction ends
 */
export function next(
  state: LifecycleState,
  event: LifecycleEvent,
  outstanding: Outstanding,
  words: EndWords,
): Decision {
  const { local, remote } = state;
  if (local.is === 'closed') return stay(state);
  switch (event.is) {
    case 'opened':
      return local.is === 'opening' ? to(OPEN, remote, ['resolve-opening']) : stay(state);
    case 'close':
      return close(state, event.by, outstanding, words);
    case 'hurry':
      return hurry(state, outstanding, words);
    case 'peer-draining':
      if (remote.is !== 'open') return stay(state);
      return going({ local, remote: DRAINING }, ['publish-draining'], outstanding, words);
    case 'peer-finished':
      return peerFinished(state, event.clean, words);
    case 'progress':
      return going(state, [], outstanding, words);
    case 'failed':
      return fail(state, event.how);
    case 'expired':
      return to(local.is === 'closing' ? local : FAILED, remote, ['destroy']);
    case 'gone':
      return to(CLOSED, GONE, ['settle']);
  }
}

/** Whether anything of ours can still be sent. */
export function mayAnswer({ local }: LifecycleState): boolean {
  return local.is === 'open' || local.is === 'draining';
}

/** Whether the program's own messages are taken: not once it was asked to finish, nor while we only flush what is left. */
export function maySend(state: LifecycleState, outstanding: () => Outstanding): boolean {
  const { local, remote } = state;
  if (local.is === 'draining' && local.hurried) return false;
  if (!mayAnswer(state)) return false;
  return remote.is !== 'finished' || isHeld(remote.clean, { ...outstanding(), queuedBytes: 0 });
}

/** Whether something is in flight that a graceful end waits for, while we drain. */
function isInFlight(
  { local, remote }: LifecycleState,
  { incoming, outgoing, queuedBytes, unread, listeners, handler, parked, onlyPushes, raw }: Outstanding,
): boolean {
  if (incoming > 0 || outgoing > 0 || queuedBytes > 0 || raw === 'open') return true;
  // A program that asks for the end may be waiting for it, wherever it runs.
  if (local.is === 'draining' && local.by === 'program') return unread > 0;
  if (listeners > 0 || unread > 0) return true;
  // A handler that waits for the next message has done its work; after the peer's end there is none to wait for.
  return handler === 'running' && !onlyPushes && !(parked && remote.is !== 'finished');
}

/** Whether something holds our side open although the peer has ended. */
function isHeld(
  clean: CleanEnd,
  { incoming, queuedBytes, unread, listeners, handler, onlyPushes, raw, endIsOurs }: Outstanding,
): boolean {
  if (raw !== 'none') return true;
  // A peer that left without a word, where there is one, waits for no answer.
  if (incoming > 0 && clean !== false) return true;
  if (queuedBytes > 0 || unread > 0 || listeners > 0 || endIsOurs) return true;
  return handler === 'running' && !onlyPushes;
}

function close(
  state: LifecycleState,
  by: 'program' | 'library',
  outstanding: Outstanding,
  words: EndWords,
): Decision {
  const { local, remote } = state;
  if (local.is === 'opening') return to(AGREED, remote, ['destroy']);
  if (local.is === 'closing') return stay(state);
  if (local.is === 'draining') {
    const who = by === 'program' ? by : local.by;
    return going({ local: { ...local, by: who }, remote }, [], outstanding, words);
  }
  const draining: LocalState = { is: 'draining', by, hurried: false };
  const told: LifecycleAction[] = ['announce-draining', 'publish-draining', 'fire-signal'];
  return going({ local: draining, remote }, told, outstanding, words);
}

function hurry(state: LifecycleState, outstanding: Outstanding, words: EndWords): Decision {
  const { local, remote } = state;
  if (local.is !== 'draining' || local.hurried) return stay(state);
  return going({ local: { ...local, hurried: true }, remote }, ['hurry-requests'], outstanding, words);
}

function peerFinished({ local, remote }: LifecycleState, clean: CleanEnd, words: EndWords): Decision {
  if (remote.is === 'finished' || remote.is === 'gone') return stay({ local, remote });
  const finished: RemoteState = { is: 'finished', clean };
  if (local.is === 'opening') return to(FAILED, finished, ['destroy']);
  const told: LifecycleAction[] = ['fail-outgoing'];
  // On framings that can say it, whoever has said it waits for no answer.
  if (words === 'frame') told.push('cancel-incoming');
  told.push('end-receiving', 'publish-draining', 'fire-signal');
  if (local.is === 'closing') {
    if (local.why === 'failed') return stay({ local, remote: finished });
    return to(local, finished, [...told, ...(words === 'frame' ? (['end-stream'] as const) : []), 'linger']);
  }
  // What was told may change what is outstanding, so the core asks again by `progress`.
  return { state: { local, remote: finished }, actions: [...told, 'start-deadline'] };
}

/** Moves on towards the end where nothing holds it up. */
function going(state: LifecycleState, first: Actions, outstanding: Outstanding, words: EndWords): Decision {
  const { local, remote } = state;
  if (local.is === 'draining' && !isInFlight(state, outstanding)) return end(remote, first, words);
  if (local.is === 'open' && remote.is === 'finished' && !isHeld(remote.clean, outstanding))
    return end(remote, first, words);
  return { state, actions: first };
}

function end(remote: RemoteState, first: Actions, words: EndWords): Decision {
  const finished = remote.is === 'finished';
  const last: LifecycleAction[] = ['announce-end'];
  // Peers that can't send after close_notify must get to say their own CLOSE first.
  if (finished || words === 'stream-end') last.push('end-stream');
  last.push('read-on', finished ? 'linger' : 'await-peer-end');
  return to(AGREED, remote, [...first, 'fire-signal', ...last]);
}

function fail({ local, remote }: LifecycleState, how: 'tell-peer' | 'mute' | 'said-by-peer'): Decision {
  if (local.is === 'closing' && local.why === 'failed') return stay({ local, remote });
  // Whoever opens the connection has the stream still, and says why it takes nobody.
  if (local.is === 'opening') return to(FAILED, remote, ['abandon']);
  const last = ['abandon', 'publish-draining', 'fire-signal', 'linger-failed', 'read-on'] as const;
  if (how === 'said-by-peer') return to(FAILED, remote, last);
  // Behind our own end nothing may follow.
  if (how === 'mute' || local.is === 'closing') return to(FAILED, remote, ['destroy']);
  return to(FAILED, remote, ['announce-failure', ...last]);
}

function stay(state: LifecycleState): Decision {
  return { state, actions: [] };
}

function to(local: LocalState, remote: RemoteState, actions: Actions): Decision {
  return { state: { local, remote }, actions };
}
