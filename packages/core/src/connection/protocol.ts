/**
 * What a connection exchanges, above bytes: messages, requests and their answers. Two implementations: `FifoProtocol`
 * carries messages to anything that speaks their framing; `KnsockProtocol` speaks knsock/1 (`docs/wire-format.md`).
 */
import type { Framing } from '../framing/framing.js';
import type { Limits } from '../policy/limits.js';
import type { Activity } from './activity.js';
import type { CallFailures } from './call-failures.js';
import type { CleanEnd, RequestHandler, RequestOptions, SecureConnection } from './connection-types.js';
import type { EndWords } from './lifecycle.js';
import type { SendQueue } from './send-queue.js';
import type { TurnBudget } from './turn-budget.js';
import type { Writer } from './writer.js';

/** A program's own code and text for why it ends a connection. */
export interface CloseReason {
  readonly code: string;
  readonly text: string;
}

/** What a protocol uses, and where it reports. */
export interface ProtocolHost<In, Out> extends CallFailures {
  readonly framing: Framing<In, Out>;
  readonly limits: Limits;
  readonly writer: Writer;
  readonly sendQueue: SendQueue;
  readonly activity: Activity;
  readonly budget: TurnBudget;
  /** The connection as its program sees it. */
  readonly connection: SecureConnection<In, Out>;
  /** Whether the program has had its turn to set a handler. */
  readonly isHandedOut: boolean;
  /** Whether answers may still be sent. */
  readonly mayAnswer: boolean;
  /** A message for the program arrived. */
  deliver(message: In, bytes: number): void;
  /** From now on received messages are requests, including those that wait already: these are returned. */
  divertMessages(): In[];
  /** Both sides may send now. */
  opened(): void;
  /** A request, in either direction, was done. */
  progress(): void;
  /** There is room for more input again. */
  relieved(): void;
  /** The peer accepts no new requests. */
  peerDraining(): void;
  /** The peer will send nothing more; its own code and text say why, where it gave them. */
  peerFinished(clean: CleanEnd, reason: CloseReason | null): void;
  /** The connection has failed; the reason is sent to the peer unless it came from the peer. */
  fail(error: Error, tellPeer: boolean, byProgram?: boolean): void;
  /** Why nothing is read at the moment, where the program causes it; or null. */
  stalled(): string | null;
  /** A request's handler, or what is named instead, failed; the connection goes on. */
  report(error: Error, request: object, what?: string): void;
}

export interface Protocol<In, Out> {
  /** How the end of a direction is announced. */
  readonly endWords: EndWords;
  /** Whether the peer announced its end. */
  readonly clean: CleanEnd;
  /** The peer's requests that have no answer yet. */
  readonly requestsHandled: number;
  /** Of those, the ones that hold the connection open: their handlers wait for more than its end. */
  readonly requestsWorkedOn: number;
  /** Of those, the ones that the peer hasn't cancelled. */
  readonly requestsWanted: number;
  readonly requestsWaiting: number;
  /** Of those that wait: aborted here, and not yet answered by the peer. */
  readonly requestsGivenUp: number;
  readonly maxRequestsWaiting: number;
  /** Whether more input would have to be kept in memory. */
  readonly full: boolean;
  /** How many of the next bytes `push` copies out of their chunk. */
  readonly copiesNext: number;
  /** Messages and requests received and sent, for `stats()`. */
  readonly received: number;
  readonly sent: number;
  start(): void;
  /** The program has had its turn: from now on requests without a handler are refused. */
  handedOut(): void;
  /** From now on messages are used only while they are delivered. @returns whether chunks may be used again too */
  lend(): boolean;
  /** There is room again, or the next turn has come: waiting requests are started. */
  resume(): void;
  /** @throws ProtocolError */
  push(chunk: Buffer): void;
  /** The peer's bytes ended. @throws TruncatedMessageError */
  end(): void;
  send(payload: Uint8Array): void;
  /** Why the program's messages can't be sent here, or null. */
  readonly refusesMessages: Error | null;
  /** The largest message that the peer accepts, in bytes. */
  readonly peerLimit: number;
  /** @throws ProtocolError where `send` would, and sends nothing */
  check(payload: Uint8Array): void;
  request(payload: Uint8Array, options: RequestOptions): Promise<In>;
  /** @throws EasySocketError KNSOCK_CONSUMED where there is a handler already */
  handle(handler: RequestHandler<In, Out>): void;
  ping(timeout: number, signal: AbortSignal | undefined): Promise<number>;
  /** A sign of life that needs no answer, where there is one. */
  signOfLife(): void;
  /** Announces that we accept no new requests. */
  announceDrain(): void;
  /** Notifies the handlers of requests that either side has announced its end. */
  publishDraining(reason: () => Error): void;
  /** Urges the answers that are still missing: here by the requests' signals, at the peer by CANCEL. */
  hurry(reason: Error): void;
  /** Announces that we send nothing more, with the program's own code and text if given and if the peer supports them. */
  announceEnd(reason: CloseReason | null): void;
  /** Sends the reason for the end (a refusal where the peer isn't trusted any more); accepts no more input. */
  announceFailure(error: Error, byProgram: boolean): void;
  /** No answer can arrive any more. */
  failOutgoing(why: () => Error): void;
  /** The peer no longer waits for our answers. */
  cancelIncoming(reason: Error): void;
  /** The connection is over: nothing will be answered. @param why created only where a caller waits */
  abandon(why: () => Error): void;
}
