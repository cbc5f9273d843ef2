/**
 * The one interface for a stream of bytes: TLS sockets implement it, and an in-memory pair for tests does.
 *
 * Rules
 * - Nothing is delivered before `open` or after `gone`.
 * - `end` (the peer sends no more) comes at most once, `gone` exactly once and last.
 * - A chunk belongs to this connection only and never changes, unless all of it is among the `copiesNext` bytes, or the
 *   receiver `lends`.
 */

/** The receiver of a stream's bytes and its end. */
export interface ByteStreamEvents {
  /** How many of the next bytes `data` copies out of their chunk, whose memory may then be reused; absent: none. */
  readonly copiesNext?: number;
  /** Whether `data` uses its chunk only until it returns, and keeps copies: memory may then be used again; absent: no. */
  readonly lends?: boolean;
  data(chunk: Buffer): void;
  /** The peer ended its direction; ours stays open. */
  end(): void;
  /** The system has taken what was queued; there is room again. */
  drain(): void;
  gone(error: Error | undefined): void;
}

/** Bytes both ways, with back-pressure. */
export interface ByteStream {
  /** Bytes written that the system hasn't taken yet; once the stream is gone, those that it never took. */
  readonly queuedBytes: number;
  /** Total bytes received, and sent: while they grow, the connection is alive. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Grows while the system takes what was written, also within one large write; comparable with earlier values alone. */
  readonly bytesTaken: number;
  /** Whether the system hasn't taken all that was written, or the end behind it. */
  readonly isSending: boolean;
  /** Starts delivery; called once. */
  open(events: ByteStreamEvents): void;
  /**
   * Sends bytes that must not change until `taken` is called; false where the caller should wait for `drain`.
   * @param taken receives an error where the stream failed before the system took them; it may not be called then
   */
  write(bytes: Uint8Array, taken?: (error?: Error | null) => void): boolean;
  /** Ends our direction once everything written is sent. */
  end(): void;
  /** Ends it behind everything written too, but so that the peer takes it for no end; input is discarded from now on. */
  cut(): void;
  destroy(error?: Error): void;
  /** The same, and the peer can't take it for an end: by an alert, or by a reset of TCP, which may overtake data on its way. @param how which is preferred; default an alert */
  reset(error?: Error, how?: 'alert' | 'reset'): void;
  pause(): void;
  resume(): void;
}
