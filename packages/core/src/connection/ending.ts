/** When a connection may end by itself: pure decisions on what is still going on. */
import type { CleanEnd } from './secure-connection.js';

/** What is going on on a connection. */
export interface Doings {
  /** Requests of the peer being worked on, and ours waiting for their answer. */
  readonly requestsHandled: number;
  readonly requestsWaiting: number;
  /** Asynchronous listeners at work. */
  readonly tasks: number;
  /** Messages held back for a slow peer. */
  readonly unsent: boolean;
  /** Messages received and not taken, by a program that takes messages. */
  readonly unread: boolean;
  /** The server's handler hasn't returned. */
  readonly handling: boolean;
  /** The program waits for the next message. */
  readonly parked: boolean;
  /** The peer sends no more, and whether it said so. */
  readonly peerFinished: boolean;
  readonly clean: CleanEnd;
  /** The program took the raw bytes over: nothing of ours, half-way or wholly ended. */
  readonly raw: 'none' | 'open' | 'finished';
  /** The program was told of the peer's end and can still send: it says when our own direction ends. */
  readonly endIsOurs: boolean;
}

/** Draining: whether what was in flight is done. A handler that waits for the next message has done its work. */
export function nothingInFlight(doings: Doings): boolean {
  if (doings.requestsHandled > 0 || doings.requestsWaiting > 0 || doings.tasks > 0) return false;
  if (doings.unsent || doings.unread || doings.raw === 'open') return false;
  return !doings.handling || doings.parked || doings.peerFinished;
}

/** The peer sends no more: whether to end too, since all it sent is dealt with. */
export function mayFollowPeer(doings: Doings): boolean {
  // After its CLOSE the peer reads nothing that we could still send but answers.
  if (doings.clean === true) return doings.requestsHandled === 0;
  if (doings.requestsHandled > 0 || doings.tasks > 0 || doings.handling) return false;
  return !doings.unread && doings.raw === 'none' && !doings.endIsOurs;
}
