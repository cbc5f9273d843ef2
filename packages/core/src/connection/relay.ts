/**
 * Joins the raw bytes of a connection with another stream, without an intermediate stream or copy.
 *
 * Rules
 * - What one end receives the other sends; where the other is slow, the first stops reading.
 * - The end of one direction is passed on and leaves the other direction open.
 * - An end that is cut off cuts off the other too: a truncated stream must not look complete.
 * - What failed first is what the relay rejects with, and what the connection reports.
 */
import type { ByteStream } from '../transport/byte-stream.js';
import { consumed, type CallFailures } from './call-failures.js';
import type { RawBytes } from './raw-stream.js';
import { cutShort, otherFailed, Outcome, type RelayEnd } from './relay-end.js';
import { StreamEnd, toStream } from './relayed-stream.js';

/** What the relay needs of a connection. */
export interface RelayedConnection extends Pick<CallFailures, 'named'> {
  readonly stream: ByteStream;
  readonly receiveQueue: { takeAll(): unknown[]; closeTo(why: string): void };
  readonly reading: { resume(): void };
  readonly isPeerFinished: boolean;
  destroy(error: Error | undefined, cutsShort: boolean): void;
  raw: RawBytes | null;
}

/** Joins two connections. */
export function joinConnections(one: RelayedConnection, other: RelayedConnection): Promise<void> {
  // Both or neither: where one has a consumer already, the other must not lose its bytes.
  demandFree(one);
  demandFree(other);
  const outcome = new Outcome();
  const near = new ConnectionEnd(one, outcome);
  const far = new ConnectionEnd(other, outcome, otherFailed);
  near.join(far);
  far.join(near);
  return outcome.promise;
}

/**
 * Joins a connection with a stream of Node's.
 * @throws InvalidOptionError where it isn't one
 */
export function joinStream(connection: RelayedConnection, other: unknown): Promise<void> {
  const stream = toStream(other);
  demandFree(connection);
  const outcome = new Outcome();
  const near = new ConnectionEnd(connection, outcome);
  const far = new StreamEnd(stream, near, outcome);
  near.join(far);
  far.start();
  return outcome.promise;
}

const TAKEN = 'relay() takes the bytes';

function demandFree(connection: RelayedConnection): void {
  if (connection.raw !== null)
    throw consumed(connection, 'messages', 'its bytes are taken already by stream() or relay()');
}

/** A connection's end of a relay: done once both directions have ended or the connection is gone. */
class ConnectionEnd implements RawBytes, RelayEnd {
  readonly #connection: RelayedConnection;
  readonly #outcome: Outcome;
  readonly #describe: (error: Error) => Error;
  #partner: RelayEnd | null = null;
  #waiting = false;
  #received = false;
  sent = false;

  /** @param describe what its failure is called at the other end */
  constructor(connection: RelayedConnection, outcome: Outcome, describe = (error: Error): Error => error) {
    this.#connection = connection;
    this.#outcome = outcome;
    this.#describe = describe;
    connection.receiveQueue.closeTo(TAKEN);
    connection.raw = this;
  }

  get finished(): boolean {
    return this.#received && this.sent;
  }

  /** Begins, with what arrived before. */
  join(partner: RelayEnd): void {
    this.#partner = partner;
    const connection = this.#connection;
    let room = true;
    for (const chunk of connection.receiveQueue.takeAll() as Buffer[]) room = partner.send(chunk);
    if (connection.isPeerFinished) this.ended();
    if (room) this.#connection.reading.resume();
  }

  // ── what the connection reports ──

  push(chunk: Buffer): boolean {
    return this.#partner?.send(chunk) ?? false;
  }

  ended(): void {
    if (this.#received) return;
    this.#received = true;
    this.#partner?.finish();
  }

  handlerReturned(): void {
    // It ends each direction itself.
  }

  /** What the other end is about to send isn't known here. */
  endIdle(): void {
    // It ends each direction itself, or at the deadline.
  }

  whenWritten(done: () => void): void {
    done();
  }

  drained(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#partner?.readOn();
  }

  closed(error: Error | undefined): void {
    if (this.finished && error === undefined) {
      this.#outcome.oneDone();
      return;
    }
    const why = error === undefined ? cutShort() : this.#describe(error);
    this.#partner?.cut(why);
    this.#outcome.reject(why);
  }

  // ── what the partner reports ──

  send(chunk: Buffer): boolean {
    this.#waiting = !this.#connection.stream.write(chunk);
    return !this.#waiting;
  }

  finish(): void {
    if (this.sent) return;
    this.sent = true;
    this.#connection.stream.end();
  }

  readOn(): void {
    this.#connection.reading.resume();
  }

  cut(why: Error): void {
    if (!this.finished) this.#connection.destroy(why, true);
  }
}
