/**
 * A client's socket delivers through Node's `onread` into one buffer shared by all connections, half again as fast
 * as `data` events. The tap copies out what arrives and holds it until a stream is attached; only bytes that the
 * stream copies anyway, into a message that is being assembled, are passed without a copy.
 */
export interface ChunkSink {
  /** How many of the next bytes `deliver` copies out of their chunk. */
  readonly copiesNext: number;
  /** Whether the next chunk is used only until `deliver` returns. */
  readonly lends: boolean;
  /** Receives a chunk; false stops reading. */
  deliver(chunk: Buffer): boolean;
}

const ARENA = 8_192;
/** Most connections are short or quiet: the first arena is small. */
const FIRST_ARENA = 512;
const ARENA_SHARE = 2_048;
/** A record's payload. */
const LENT = 16_384;
/** Only read inside the callback, so all connections share it; a TLS record carries at most 16 KiB. */
const shared = Buffer.allocUnsafeSlow(65_536);

export class OnreadTap {
  #sink: ChunkSink | null = null;
  #early: Buffer[] = [];
  #arena: Buffer | null = null;
  #used = 0;
  /** The memory that lent chunks come in. */
  #lent: Buffer | null = null;
  #lending = false;
  #view: Buffer | null = null;

  /** The `onread` option of `tls.connect`. */
  readonly option = {
    buffer: shared,
    callback: (length: number, buffer: Uint8Array): boolean => this.#receive(length, buffer),
  };

  /** Whether something arrived that no stream has taken yet. */
  get isHolding(): boolean {
    return this.#early.length > 0;
  }

  /** Passes early data to the stream, and from now on everything. */
  attach(sink: ChunkSink): void {
    const early = this.#early;
    this.#early = [];
    this.#sink = sink;
    for (const chunk of early) sink.deliver(chunk);
  }

  #receive(length: number, buffer: Uint8Array): boolean {
    const sink = this.#sink;
    if (sink === null) {
      this.#early.push(this.#copy(buffer, 0, length));
      return false;
    }
    const shown = Math.min(length, sink.copiesNext);
    if (shown === length) return sink.deliver(this.#all(length));
    if (sink.lends && !this.#lending && length - shown <= LENT)
      return this.#lend(sink, buffer, shown, length);
    // Copied first: the program's work on a message may overwrite the shared memory.
    const rest = this.#copy(buffer, shown, length);
    if (shown > 0) sink.deliver(shared.subarray(0, shown));
    return sink.deliver(rest);
  }

  /**
   * As above, for a program that is done with a message when it has taken it: memory of this connection is used again. Not
   * for what arrives while it is in use, nor where what came first makes the rest wait.
   */
  #lend(sink: ChunkSink, buffer: Uint8Array, shown: number, length: number): boolean {
    const own = (this.#lent ??= Buffer.alloc(LENT));
    const rest = own.subarray(0, length - shown);
    rest.set(buffer.subarray(shown, length));
    this.#lending = true;
    try {
      if (shown > 0) sink.deliver(shared.subarray(0, shown));
      return sink.deliver(sink.lends ? rest : this.#copy(rest, 0, rest.length));
    } finally {
      this.#lending = false;
    }
  }

  /** Chunks in the middle of a large message have one length, that of a full record. */
  #all(length: number): Buffer {
    if (this.#view?.length !== length) this.#view = shared.subarray(0, length);
    return this.#view;
  }

  /** Small chunks share an arena that belongs to this connection only; large ones get their own memory. */
  #copy(bytes: Uint8Array, from: number, to: number): Buffer {
    const length = to - from;
    const source = bytes.subarray(from, to);
    if (length > ARENA_SHARE) {
      const own = Buffer.allocUnsafeSlow(length);
      own.set(source);
      return own;
    }
    if (this.#arena === null || this.#used + length > this.#arena.length) {
      const isFirst = this.#arena === null && length <= FIRST_ARENA;
      this.#arena = Buffer.allocUnsafeSlow(isFirst ? FIRST_ARENA : ARENA);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    this.#arena.set(source, start);
    return this.#arena.subarray(start, this.#used);
  }
}
