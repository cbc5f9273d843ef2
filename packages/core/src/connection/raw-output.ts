/**
 * The writes of a raw stream. One is on its way at a time, and done once the system has taken it, as with Node's sockets:
 * HTTP takes a socket without unsent bytes for one whose request has gone out, and programs then reuse their buffers.
 */
import type { ByteStream } from '../transport/byte-stream.js';
import type { Waiting } from './send-queue.js';

/** The connection that is written to. */
export interface WrittenConnection {
  readonly stream: ByteStream;
  readonly writer: { flush(): void };
  readonly sendQueue: { readonly mustWait: boolean; hold(waiting: Waiting): void };
  readonly mayAnswer: boolean;
  readonly goneError: Error;
  /** Bytes wait for the peer, which must take some within `sendTimeout`. */
  congested(): void;
}

type Done = (error?: Error | null) => void;

/** The largest part that goes out at once: the system reports a write only as a whole, and `sendTimeout` looks for progress. */
const LARGEST_PIECE = 262_144;

export class RawOutput {
  readonly #connection: WrittenConnection;
  #chunks: readonly Buffer[] = [];
  /** Where the rest begins: a chunk, and a byte in it. */
  #chunk = 0;
  #offset = 0;
  #done: Done | null = null;

  constructor(connection: WrittenConnection) {
    this.#connection = connection;
  }

  /** Whether a write isn't done. */
  get isPending(): boolean {
    return this.#done !== null;
  }

  /** Called when the last write is done. @param done receives an error where the bytes were never sent */
  write(chunks: readonly Buffer[], done: Done): void {
    const { sendQueue } = this.#connection;
    if (!this.#connection.mayAnswer) {
      done(this.#connection.goneError);
      return;
    }
    this.#chunks = chunks;
    this.#chunk = 0;
    this.#offset = 0;
    this.#done = done;
    if (!sendQueue.mustWait) this.#goOn();
    else
      sendQueue.hold({
        bytes: sizeOf(chunks),
        send: () => {
          this.#goOn();
        },
        // The end of the stream follows, and reports it.
        failed: () => undefined,
      });
  }

  /** The stream is gone: a write that isn't done fails. */
  abandon(error: Error | null): void {
    if (this.isPending) this.#settle(error ?? this.#connection.goneError);
  }

  #goOn(): void {
    // An empty write is done at once: HTTP ends its messages by one, and then nothing is unsent.
    if (this.#done === null) return;
    const piece = this.#nextPiece();
    if (piece === null) {
      this.#settle(null);
      return;
    }
    const { writer, stream } = this.#connection;
    // What was sent before, as messages.
    writer.flush();
    stream.write(piece, (error) => {
      // After an error the end of the stream follows, and reports it.
      if (error === undefined || error === null) this.#goOn();
    });
    this.#connection.congested();
  }

  /** Copies only chunks that share a piece; null where nothing is left. */
  #nextPiece(): Buffer | null {
    const parts: Buffer[] = [];
    let room = LARGEST_PIECE;
    while (room > 0 && this.#chunk < this.#chunks.length) {
      const chunk = this.#chunks[this.#chunk] as Buffer;
      const end = Math.min(chunk.length, this.#offset + room);
      if (end > this.#offset) parts.push(chunk.subarray(this.#offset, end));
      room -= end - this.#offset;
      this.#offset = end;
      if (end < chunk.length) break;
      this.#chunk += 1;
      this.#offset = 0;
    }
    if (parts.length > 1) return Buffer.concat(parts);
    return parts[0] ?? null;
  }

  #settle(error: Error | null): void {
    const done = this.#done;
    this.#done = null;
    this.#chunks = [];
    done?.(error);
  }
}

function sizeOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}
