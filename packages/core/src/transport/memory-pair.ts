/** Two byte streams joined in memory: what one writes the other receives, a turn of the event loop later. */
import { ConnectionClosedError } from '../errors/index.js';
import type { ByteStream, ByteStreamEvents } from './byte-stream.js';

/** The two ends of a connection without a socket, for tests of everything above the transport. */
export function memoryPair(): [MemoryStream, MemoryStream] {
  const left = new MemoryStream();
  const right = new MemoryStream();
  left.join(right);
  right.join(left);
  return [left, right];
}

/** Node's own high-water mark: from here on a writer must wait. */
const FULL = 16_384;

type Arrival = { bytes: Buffer; taken: (() => void) | undefined } | 'end' | 'cut';

/** One end of a memory pair. */
export class MemoryStream implements ByteStream {
  bytesRead = 0;
  bytesWritten = 0;
  /** Every write separately, for tests that count them. */
  readonly writes: Buffer[] = [];
  #peer!: MemoryStream;
  #events: ByteStreamEvents | null = null;
  #arrivals: Arrival[] = [];
  #paused = false;
  #scheduled = false;
  /** Whether the peer reset it. */
  wasReset = false;
  /** Whether the peer ended it as no end. */
  wasCut = false;
  #ended = false;
  #peerEnded = false;
  #closed = false;

  join(peer: MemoryStream): void {
    this.#peer = peer;
  }

  get queuedBytes(): number {
    let waiting = 0;
    for (const arrival of this.#peer.#arrivals)
      if (typeof arrival === 'object') waiting += arrival.bytes.length;
    return waiting;
  }

  get bytesTaken(): number {
    return this.bytesWritten - this.queuedBytes;
  }

  get isSending(): boolean {
    return this.queuedBytes > 0;
  }

  open(events: ByteStreamEvents): void {
    this.#events = events;
    this.#schedule();
  }

  write(bytes: Uint8Array, taken?: () => void): boolean {
    if (this.#closed || this.#ended) return true;
    const copy = Buffer.from(bytes);
    this.writes.push(copy);
    this.bytesWritten += copy.length;
    this.#peer.#arrive({ bytes: copy, taken });
    return this.queuedBytes < FULL;
  }

  end(): void {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    this.#peer.#arrive('end');
    this.#closeWhenBothEnded();
  }

  cut(): void {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    this.#peer.#arrive('cut');
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#close(error);
    this.#peer.#arrive('end');
  }

  reset(error?: Error): void {
    if (this.#closed) return;
    this.#close(error);
    this.#peer.wasReset = true;
    this.#peer.#close(new ConnectionClosedError(false, 'the peer reset the connection'));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #arrive(arrival: Arrival): void {
    if (this.#closed) {
      take([arrival]);
      return;
    }
    this.#arrivals.push(arrival);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (this.#events !== null && !this.#paused && !this.#closed) {
      const arrival = this.#arrivals.shift();
      if (arrival === undefined) return;
      if (arrival === 'end') this.#takeEnd(this.#events);
      else if (arrival === 'cut') this.#takeCut();
      else this.#take(arrival, this.#events);
    }
  }

  #take({ bytes, taken }: Extract<Arrival, object>, events: ByteStreamEvents): void {
    this.bytesRead += bytes.length;
    events.data(bytes);
    taken?.();
    if (this.#peer.queuedBytes === 0) this.#peer.#events?.drain();
  }

  #takeEnd(events: ByteStreamEvents): void {
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    events.end();
    this.#closeWhenBothEnded();
  }

  #takeCut(): void {
    this.wasCut = true;
    this.#close(new ConnectionClosedError(false, 'the peer cut the connection'));
    this.#peer.#close(undefined);
  }

  #closeWhenBothEnded(): void {
    if (this.#ended && this.#peerEnded) this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    take(this.#arrivals);
    this.#arrivals = [];
    setImmediate(() => this.#events?.gone(error));
  }
}

/** A system takes what is written to a peer that is gone, until it learns of that. */
function take(arrivals: readonly Arrival[]): void {
  setImmediate(() => {
    for (const arrival of arrivals) if (typeof arrival === 'object') arrival.taken?.();
  });
}
