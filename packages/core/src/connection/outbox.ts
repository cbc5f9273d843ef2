/**
 * What the program sends, on its way to the writer: encoded at once while the peer keeps up, held in order while it
 * doesn't. The program is asked to wait; if it doesn't, the backlog's limit stops it.
 */
import type { ByteStream } from '../transport/byte-stream.js';
import { Backlog } from './backlog.js';
import type { Writer } from './writer.js';

/** What an outbox tells its connection. */
export interface OutboxEvents {
  /** Encodes one message into the writer. @throws ProtocolError */
  encode(bytes: Uint8Array): void;
  /** Throws what `encode` would, before a message is accepted that is encoded later. @throws ProtocolError */
  check(bytes: Uint8Array): void;
  /** The peer reads slower than we send. */
  congested(): void;
  /** There is room again. */
  relieved(): void;
}

/** Above this many bytes unsent the program is asked to wait; over Node's own mark, so that `drain` will come. */
const CONGESTED = 65_536;

export class Outbox {
  readonly #events: OutboxEvents;
  readonly #stream: ByteStream;
  readonly #writer: Writer;
  /** Made when the peer first reads slower than we send. */
  #backlog: Backlog | null = null;
  readonly #maxBytes: number;
  #waiters: { resolve(): void; reject(error: Error): void }[] = [];
  #congested = false;
  #closed: (() => Error) | null = null;

  constructor(stream: ByteStream, writer: Writer, maxBytes: number, events: OutboxEvents) {
    this.#events = events;
    this.#stream = stream;
    this.#writer = writer;
    this.#maxBytes = maxBytes;
  }

  /** Bytes accepted and not yet taken by the system. */
  get queuedBytes(): number {
    return this.#writer.gatheredBytes + this.#stream.queuedBytes + (this.#backlog?.bytes ?? 0);
  }

  get congested(): boolean {
    return this.#congested;
  }

  /** Whether even what the protocol itself sends must stop: the peer asks and doesn't read the answers. */
  get overfull(): boolean {
    return this.#congested && this.#stream.queuedBytes > this.#maxBytes;
  }

  /** Whether messages wait for room. */
  get waiting(): boolean {
    return this.#backlog !== null && this.#backlog.length > 0;
  }

  /** False asks to wait for `ready()`. @throws EasySocketError KNSOCK_QUEUE_FULL, where nothing was accepted */
  write(bytes: Uint8Array): boolean {
    if (!this.#congested) {
      this.#events.encode(bytes);
      return !this.#congested;
    }
    this.#events.check(bytes);
    (this.#backlog ??= new Backlog(this.#maxBytes)).add(bytes);
    return false;
  }

  /** Resolves once the message is on its way; while the peer reads slowly, the next one waits. */
  send(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    if (this.#congested) {
      this.#events.check(bytes);
      return (this.#backlog ??= new Backlog(this.#maxBytes)).wait(bytes, signal);
    }
    this.#events.encode(bytes);
    return Promise.resolve();
  }

  ready(): Promise<void> {
    if (this.#closed !== null) return Promise.reject(this.#closed());
    if (!this.#congested) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  /** A batch was written: is the peer keeping up? */
  written(): void {
    if (this.#congested || this.#stream.queuedBytes <= CONGESTED) return;
    this.#congested = true;
    this.#events.congested();
  }

  drained(): void {
    if (!this.#congested || this.#closed !== null) return;
    this.#congested = false;
    this.#sendBacklog();
    // Sending may have filled the queue again.
    if (this.#isCongested()) return;
    this.#events.relieved();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  /** @param why made only where somebody waits to hear it */
  close(why: () => Error): void {
    if (this.#closed !== null) return;
    this.#closed = why;
    this.#backlog?.failAll(why());
    for (const waiter of this.#waiters) waiter.reject(why());
    this.#waiters = [];
  }

  #sendBacklog(): void {
    while (!this.#congested) {
      const held = this.#backlog?.shift();
      if (held === undefined) break;
      try {
        this.#events.encode(held.bytes);
        held.sent?.();
      } catch (error) {
        held.failed?.(error as Error);
      }
      // Whether the peer keeps up shows once bytes are written; until there are enough of them they gather.
      if (this.#writer.gatheredBytes > CONGESTED) this.#writer.flush();
    }
    this.#writer.flush();
  }

  #isCongested(): boolean {
    return this.#congested;
  }
}
