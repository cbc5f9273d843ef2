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
 * - `draining`: the end is announced, work in flight finishes. `closing`: we send nothing more, and read on until the
 *   peer's end or a short deadline. `closed`: the socket is gone.
 * - What holds a connection open is plain data (`Outstanding`); no part decides it by itself.
 * - A program that only waits for the end never holds it. One that has taken the peer's messages may owe an answer, and
 *   holds it until it is done or the deadline passes.
 */
import type { CleanEnd } from './connection-types.js';

/** Our side. Who requested the end decides whether the program's own handlers delay it: they may be awaiting it. */
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

/** The work outstanding on a connection: everything that can hold it open. */
export interface Outstanding {
  /** The peer's requests being handled, except those whose handler only waits for the end. */
  readonly incoming: number;
  /** Of those, the ones that the peer hasn't cancelled. */
  readonly wanted: number;
  /** Our requests whose answer a caller waits for; those given up aren't. */
  readonly outgoing: number;
  /** Bytes accepted from the program that the stream hasn't been given yet. */
  readonly queuedBytes: number;
  /** Messages that a program hasn't taken yet, where it takes messages. */
  readonly unread: number;
  /** Running asynchronous listeners, except those that only wait for the end. */
  readonly listeners: number;
  /** A server's handler: returned, running, or only waiting for the end. */
  readonly handler: 'none' | 'running' | 'waiting-for-end';
  /** Whether the program waits for the next message. */
  readonly parked: boolean;
  /** Whether the program owes no answer: it has only ever sent, or only sends beside messages that it doesn't take. */
  readonly onlyPushes: boolean;
  /** The raw bytes were taken over as a stream or a relay, which ends each direction itself: neither, ours, or both. */
  readonly raw: 'none' | 'open' | 'sent' | 'finished';
  /** Whether the program was notified of the peer's end, and chooses itself when our direction ends. */
  readonly endIsOurs: boolean;
}

export type LifecycleEvent =
  /** Both sides may send. */
  | { readonly is: 'opened' }
  /** The end is requested, by the program itself, or by a server, a pool or `maxLifetime`. */
  | { readonly is: 'close'; readonly by: 'program' | 'library' }
  /** Most of the time for draining is over. */
  | { readonly is: 'hurry' }
  | { readonly is: 'peer-draining' }
  /** The peer sends nothing more. */
  | { readonly is: 'peer-finished'; readonly clean: CleanEnd }
  /** Something outstanding was done. */
  | { readonly is: 'progress' }
  /** The connection has failed: the reason is sent to the peer, can't be sent, or came from the peer. */
  | { readonly is: 'failed'; readonly how: 'tell-peer' | 'mute' | 'said-by-peer' }
  /** A deadline passed. */
  | { readonly is: 'expired' }
  /** The socket is gone. */
  | { readonly is: 'gone' };

/** The actions to perform, in this order. */
export type LifecycleAction =
  /** `open()` resolves. */
  | 'resolve-opening'
  /** Announces to the peer that no new request is accepted, and accepts none from the program either. */
  | 'announce-draining'
  /** Calls `onDraining`'s listeners and fires the `draining` signals. */
  | 'publish-draining'
  /** Fires `connection.signal`. */
  | 'fire-signal'
  /** Urges the missing answers: the signals of requests fire here, and at the peer by CANCEL. */
  | 'hurry-requests'
  /** Our requests fail: no answer can arrive any more. */
  | 'fail-outgoing'
  /** Fires the signals of the requests being handled: the peer no longer waits for their answers. */
  | 'cancel-incoming'
  /** The stream of messages ends for the program. */
  | 'end-receiving'
  /** Starts the deadline for what still holds the connection after the peer's end. */
  | 'start-deadline'
  /** Announces that we send nothing more, where the framing has a frame for it. */
  | 'announce-end'
  /** Sends the reason for the end, and ignores all further input. */
  | 'announce-failure'
  /** Everything that waits on this side fails. */
  | 'abandon'
  /** Ends our direction of the stream: close_notify, FIN. */
  | 'end-stream'
  /** The same after a failure: further input is discarded for a short while, then the stream is destroyed. */
  | 'linger-failed'
  /** Resumes reading, if it was paused. */
  | 'read-on'
  /** Waits a short while for the peer's announcement. */
  | 'await-peer-end'
  /** Waits a short while for the peer to close the stream. */
  | 'linger'
  | 'destroy'
  /** Settles every promise and notifies every listener that it is over. */
  | 'settle';

export interface Decision {
  readonly state: LifecycleState;
  readonly actions: Actions;
}

/** How the end of a direction is announced: by a frame before the stream's end, or by that end alone. */
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
 * @param words how this connection's framing announces the end of a direction
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

/** Whether the program's own messages are accepted: not once it was asked to finish, nor while we only flush what is left. */
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
  // A program that requested the end may be awaiting it, in any of its handlers, and reads a stream while it does.
  if (local.is === 'draining' && local.by === 'program') return false;
  if (raw === 'sent' || listeners > 0 || unread > 0) return true;
  // A handler that waits for the next message has done its work; after the peer's end there is none to wait for.
  return handler === 'running' && !onlyPushes && !(parked && remote.is !== 'finished');
}

/** Whether something holds our side open although the peer has ended. */
function isHeld(
  clean: CleanEnd,
  { wanted, queuedBytes, unread, listeners, handler, onlyPushes, raw, endIsOurs }: Outstanding,
): boolean {
  if (raw !== 'none') return true;
  // A peer that left without announcing it, where it could have, waits for no answer.
  if (wanted > 0 && clean !== false) return true;
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
  // On framings that can announce the end, a side that has announced it waits for no answer.
  if (words === 'frame') told.push('cancel-incoming');
  told.push('end-receiving', 'publish-draining', 'fire-signal');
  if (local.is === 'closing') {
    if (local.why === 'failed') return stay({ local, remote: finished });
    return to(local, finished, [...told, ...(words === 'frame' ? (['end-stream'] as const) : []), 'linger']);
  }
  // The notified code may change what is outstanding, so the core asks again by `progress`.
  return { state: { local, remote: finished }, actions: [...told, 'start-deadline'] };
}

/** Moves on towards the end where nothing delays it. */
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
  // Peers that can't send after close_notify must get the chance to send their own CLOSE first.
  if (finished || words === 'stream-end') last.push('end-stream');
  last.push('read-on', finished ? 'linger' : 'await-peer-end');
  return to(AGREED, remote, [...first, 'fire-signal', ...last]);
}

function fail({ local, remote }: LifecycleState, how: 'tell-peer' | 'mute' | 'said-by-peer'): Decision {
  if (local.is === 'closing' && local.why === 'failed') return stay({ local, remote });
  // The code that opens the connection still owns the stream, and reports why it was refused.
  if (local.is === 'opening') return to(FAILED, remote, ['abandon']);
  const last = ['abandon', 'publish-draining', 'fire-signal', 'linger-failed', 'read-on'] as const;
  if (how === 'said-by-peer') return to(FAILED, remote, last);
  // Nothing may follow our own end.
  if (how === 'mute' || local.is === 'closing') return to(FAILED, remote, ['destroy']);
  return to(FAILED, remote, ['announce-failure', ...last]);
}

function stay(state: LifecycleState): Decision {
  return { state, actions: [] };
}

function to(local: LocalState, remote: RemoteState, actions: Actions): Decision {
  return { state: { local, remote }, actions };
}
