/** A stream of Node's as the end of a relay. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { InvalidOptionError } from '../errors/index.js';
import { having } from '../options/index.js';
import { cutShort, otherFailed, type Outcome, type RelayEnd } from './relay-end.js';

/**
 * What a program gave to relay(); a connection that comes from elsewhere, such as a pool, is joined by its stream.
 * @throws InvalidOptionError
 */
export function toStream(other: unknown): Duplex {
  const made = other as { relay?: unknown; stream?: () => Duplex } | null | undefined;
  if (typeof made?.relay === 'function' && typeof made.stream === 'function') return made.stream();
  const methods = ['on', 'write', 'end', 'pause', 'resume', 'destroy'] as const;
  return having(
    'other',
    (other ?? null) as Duplex,
    'a connection, a socket or another Duplex',
    methods,
  ) as Duplex;
}

/** As with TLS sockets, all streams share their listeners, and each finds its relay end here. */
const END = Symbol('end');
type Ended = Duplex & { [END]: StreamEnd };

/** The end of a relay that is a stream of Node's, such as a socket without TLS: done once it is closed, in whatever way. */
export class StreamEnd implements RelayEnd {
  readonly #stream: Duplex;
  readonly #partner: RelayEnd;
  readonly #outcome: Outcome;
  #waiting = false;
  #received = false;
  #error: Error | null = null;
  #isClosed = false;

  constructor(stream: Duplex, partner: RelayEnd, outcome: Outcome) {
    this.#stream = stream;
    this.#partner = partner;
    this.#outcome = outcome;
    (stream as Ended)[END] = this;
    stream.on('data', onData).on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose);
  }

  start(): void {
    const stream = this.#stream;
    if (stream.destroyed) {
      this.#error ??= stream.errored;
      this.closed();
      return;
    }
    // Where everything was read before, there is no event.
    if (stream.readableEnded) this.ended();
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

  arrived(chunk: unknown): void {
    const bytes = toBytes(chunk, this.#stream.readableEncoding);
    if (bytes === null) this.failed(noBytes(chunk));
    else if (!this.#partner.send(bytes)) this.#stream.pause();
  }

  /** The close event that follows reports it. */
  failed(error: Error): void {
    this.#error ??= error;
    this.#stream.destroy();
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
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#received || !this.#stream.writableFinished)
      this.#partner.cut(this.#error === null ? cutShort() : otherFailed(this.#error));
    this.#outcome.oneDone();
  }
}

function isSocket(stream: Duplex): stream is Socket {
  // A TLS socket of Node's or a pipe can't be reset.
  return (
    'resetAndDestroy' in stream && (stream as Socket).remoteAddress !== undefined && !('encrypted' in stream)
  );
}

/** Null for what a stream in object mode may hold. */
function toBytes(chunk: unknown, encoding: BufferEncoding | null): Buffer | null {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding ?? 'utf8');
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return null;
}

function noBytes(chunk: unknown): Error {
  const what = `relay() carries bytes, and the stream that it was given holds a value of type ${typeof chunk}`;
  return new InvalidOptionError('other', what);
}

function onData(this: Duplex, chunk: unknown): void {
  (this as Ended)[END].arrived(chunk);
}

function onError(this: Duplex, error: Error): void {
  (this as Ended)[END].failed(error);
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
