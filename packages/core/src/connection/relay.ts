/**
 * Joins the raw bytes of a connection with another stream, without an intermediate stream or copy.
 *
 * Rules
 * - What one end receives the other sends; where the other is slow, the first stops reading.
 * - The end of one direction is passed on and leaves the other direction open.
 * - An end that is cut off cuts off the other too: a truncated stream must not look complete.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ConnectionClosedError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import { Deferred } from './deferred.js';
import { consumed, type CallFailures } from './call-failures.js';
import type { RawBytes } from './raw-stream.js';

/** One of the two ends, as the other sees it. */
interface RelayEnd {
  /** Sends a chunk; false means to wait until `readOn` is called on the end that received it. */
  send(chunk: Buffer): boolean;
  /** Nothing more will be sent. */
  finish(): void;
  /** There is room again: reading may continue. */
  readOn(): void;
  /** The other end was cut off. */
  cut(): void;
}

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
  const [near, far] = [new ConnectionEnd(one, outcome), new ConnectionEnd(other, outcome)];
  near.join(far);
  far.join(near);
  return outcome.promise;
}

/** Joins a connection with a stream of Node's. */
export function joinStream(connection: RelayedConnection, stream: Duplex): Promise<void> {
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

/** Resolves once both ends are done, and rejects where a connection was cut off. */
class Outcome extends Deferred<void> {
  #going = 2;

  oneDone(): void {
    this.#going -= 1;
    if (this.#going === 0) this.resolve();
  }
}

/** A connection's end of a relay: done once both directions have ended or the connection is gone. */
class ConnectionEnd implements RawBytes, RelayEnd {
  readonly #connection: RelayedConnection;
  readonly #outcome: Outcome;
  #partner: RelayEnd | null = null;
  #waiting = false;
  #received = false;
  sent = false;

  constructor(connection: RelayedConnection, outcome: Outcome) {
    this.#connection = connection;
    this.#outcome = outcome;
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

  /** What the other end is about to send isn't known here. */
  endIdle(): void {
    // It ends each direction itself, or at the deadline.
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
    this.#partner?.cut();
    this.#outcome.reject(
      error ?? new ConnectionClosedError('unknown', 'the connection ended before what it carried'),
    );
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

  cut(): void {
    if (!this.finished) this.#connection.destroy(undefined, true);
  }
}

/** As with TLS sockets, all streams share their listeners, and each finds its relay end here. */
const END = Symbol('end');
type Ended = Duplex & { [END]: StreamEnd };

/** The end of a relay that is a stream of Node's, such as a socket without TLS: done once it is closed, in whatever way. */
class StreamEnd implements RelayEnd {
  readonly #stream: Duplex;
  readonly #partner: RelayEnd;
  readonly #outcome: Outcome;
  #waiting = false;
  #received = false;

  constructor(stream: Duplex, partner: RelayEnd, outcome: Outcome) {
    this.#stream = stream;
    this.#partner = partner;
    this.#outcome = outcome;
  }

  start(): void {
    const stream = this.#stream;
    if (stream.destroyed) {
      this.closed();
      return;
    }
    (stream as Ended)[END] = this;
    stream.on('data', onData).on('end', onEnd).on('drain', onDrain).on('error', ignore).on('close', onClose);
    stream.resume();
  }

  // ── what the partner reports ──

  send(chunk: Buffer): boolean {
    if (this.#stream.destroyed) return true;
    // A buffer that was full but that the system took at once is no reason to wait.
    this.#waiting = !this.#stream.write(chunk) && this.#stream.writableLength > 0;
    return !this.#waiting;
  }

  finish(): void {
    this.#stream.end();
  }

  readOn(): void {
    this.#stream.resume();
  }

  cut(): void {
    if (isSocket(this.#stream)) this.#stream.resetAndDestroy();
    else this.#stream.destroy();
  }

  // ── what the stream reports ──

  arrived(chunk: Buffer): void {
    if (!this.#partner.send(chunk)) this.#stream.pause();
  }

  ended(): void {
    this.#received = true;
    this.#partner.finish();
  }

  drained(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#partner.readOn();
  }

  closed(): void {
    if (!this.#received || !this.#stream.writableFinished) this.#partner.cut();
    this.#outcome.oneDone();
  }
}

function isSocket(stream: Duplex): stream is Socket {
  // A TLS socket of Node's or a pipe can't be reset.
  return (
    'resetAndDestroy' in stream && (stream as Socket).remoteAddress !== undefined && !('encrypted' in stream)
  );
}

function ignore(): void {
  // The close event that follows reports it.
}

function onData(this: Duplex, chunk: Buffer): void {
  (this as Ended)[END].arrived(chunk);
}

function onEnd(this: Duplex): void {
  (this as Ended)[END].ended();
}

function onDrain(this: Duplex): void {
  (this as Ended)[END].drained();
}

function onClose(this: Duplex): void {
  (this as Ended)[END].closed();
}
