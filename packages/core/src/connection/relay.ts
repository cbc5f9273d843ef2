/**
 * Joins the raw bytes of a connection with another stream, without a stream or a copy in between.
 *
 * Rules
 * - What one end receives the other sends; where the other is slow, the first stops reading.
 * - The end of one direction is passed on and leaves the other direction open.
 * - An end that breaks off breaks the other off too: a cut stream must not look like a whole one.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ConnectionClosedError } from '../errors/index.js';
import type { ByteStream } from '../transport/byte-stream.js';
import type { RawBytes } from './duplex.js';

/** One of the two ends, as the other sees it. */
export interface RelayEnd {
  /** Sends a chunk; false asks to wait until `readOn` is called on the one that received it. */
  send(chunk: Buffer): boolean;
  /** Nothing more will be sent. */
  finish(): void;
  /** There is room again: reading may go on. */
  readOn(): void;
  /** The other end broke off. */
  cut(): void;
}

/** What the relay needs of a connection. */
export interface RelayedLink {
  readonly stream: ByteStream;
  /** Bytes that arrived before, and whether the peer ended already. */
  takeHeld(): { readonly chunks: readonly Buffer[]; readonly ended: boolean };
  readOn(): void;
  destroy(): void;
}

/** Joins two connections. */
export async function joinLinks(one: LinkEnd, other: LinkEnd): Promise<void> {
  one.join(other);
  other.join(one);
  await Promise.all([one.done, other.done]);
}

/** Joins a connection with a stream of Node's. */
export async function joinStream(link: LinkEnd, stream: Duplex): Promise<void> {
  const end = new StreamEnd(stream, link);
  link.join(end);
  end.start();
  await Promise.all([link.done, end.done]);
}

/** A connection's end of a relay. */
export class LinkEnd implements RawBytes, RelayEnd {
  /** Resolves once both directions have ended or the connection is gone; rejects where it broke off. */
  readonly done: Promise<void>;
  readonly #link: RelayedLink;
  #partner: RelayEnd | null = null;
  #waiting = false;
  #received = false;
  #sent = false;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  constructor(link: RelayedLink) {
    this.#link = link;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
  }

  get finished(): boolean {
    return this.#received && this.#sent;
  }

  /** Begins, with what came before. */
  join(partner: RelayEnd): void {
    this.#partner = partner;
    const { chunks, ended } = this.#link.takeHeld();
    let room = true;
    for (const chunk of chunks) room = partner.send(chunk);
    if (ended) this.ended();
    if (room) this.#link.readOn();
  }

  // ── what the connection says ──

  push(chunk: Buffer): boolean {
    return this.#partner?.send(chunk) ?? false;
  }

  ended(): void {
    if (this.#received) return;
    this.#received = true;
    this.#partner?.finish();
  }

  drained(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#partner?.readOn();
  }

  closed(error: Error | undefined): void {
    if (this.finished && error === undefined) {
      this.#resolve();
      return;
    }
    this.#partner?.cut();
    this.#reject(
      error ?? new ConnectionClosedError('unknown', 'the connection ended before what it carried'),
    );
  }

  // ── what the partner says ──

  send(chunk: Buffer): boolean {
    this.#waiting = !this.#link.stream.write(chunk);
    return !this.#waiting;
  }

  finish(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#link.stream.end();
  }

  readOn(): void {
    this.#link.readOn();
  }

  cut(): void {
    if (!this.finished) this.#link.destroy();
  }
}

/** The end of a relay that is a stream of Node's, such as a socket without TLS. */
class StreamEnd implements RelayEnd {
  /** Resolves once the stream is closed, however it ended. */
  readonly done: Promise<void>;
  readonly #stream: Duplex;
  readonly #partner: RelayEnd;
  #waiting = false;
  #received = false;
  #resolve!: () => void;

  constructor(stream: Duplex, partner: RelayEnd) {
    this.#stream = stream;
    this.#partner = partner;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  start(): void {
    const stream = this.#stream;
    if (stream.destroyed) {
      this.#close();
      return;
    }
    stream.on('data', this.#data).on('end', this.#end).on('drain', this.#drain);
    stream.on('error', ignore).on('close', this.#close);
    stream.resume();
  }

  send(chunk: Buffer): boolean {
    if (this.#stream.destroyed) return true;
    this.#waiting = !this.#stream.write(chunk);
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

  readonly #data = (chunk: Buffer): void => {
    if (!this.#partner.send(chunk)) this.#stream.pause();
  };

  readonly #end = (): void => {
    this.#received = true;
    this.#partner.finish();
  };

  readonly #drain = (): void => {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#partner.readOn();
  };

  readonly #close = (): void => {
    if (!this.#received || !this.#stream.writableFinished) this.#partner.cut();
    this.#resolve();
  };
}

function isSocket(stream: Duplex): stream is Socket {
  // A socket over TLS or a pipe has nothing to reset.
  return (
    'resetAndDestroy' in stream && (stream as Socket).remoteAddress !== undefined && !('encrypted' in stream)
  );
}

function ignore(): void {
  // The close that follows tells it.
}
