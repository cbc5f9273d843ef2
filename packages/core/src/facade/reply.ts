/** A reply on its way in over raw bytes, which don't say where it ends: pure, told of pieces and of the end. */
import { InvalidOptionError, MessageTooLargeError, TruncatedMessageError } from '../errors/index.js';
import { integer, milliseconds } from '../options/index.js';

/**
 * Where a reply ends: at the peer's end; after its first piece; after so many bytes; or after so many milliseconds of
 * silence behind its first byte. The peer's end ends it in every case.
 */
export type ReplyEnd = 'end' | 'first' | { readonly bytes: number } | { readonly quiet: number };

/** @throws InvalidOptionError */
export function parseReplyEnd(until: ReplyEnd | undefined, maxReplyBytes: number): ReplyEnd {
  if (until === undefined) return { quiet: 250 };
  if (until === 'end' || until === 'first') return until;
  if (typeof until === 'object' && until !== null) {
    if ('bytes' in until && until.bytes !== undefined) {
      return { bytes: integer('until.bytes', until.bytes, { min: 1, max: maxReplyBytes }) };
    }
    if ('quiet' in until && until.quiet !== undefined) {
      return { quiet: milliseconds('until.quiet', until.quiet) };
    }
  }
  throw new InvalidOptionError('until', `until must be 'end', 'first', { bytes } or { quiet }`);
}

export class Reply {
  readonly #until: ReplyEnd;
  readonly #limit: number;
  /** Grows by doubling: a reply that trickles in byte by byte costs no more than its bytes. */
  #store: Buffer = NOTHING;
  #size = 0;

  constructor(until: ReplyEnd, maxBytes: number) {
    this.#until = until;
    this.#limit = maxBytes;
  }

  /** How long a silence, in milliseconds, ends the reply now; infinite where none does. */
  get quiet(): number {
    return typeof this.#until === 'object' && 'quiet' in this.#until && this.#size > 0
      ? this.#until.quiet
      : Number.POSITIVE_INFINITY;
  }

  /** What has come. */
  get bytes(): Buffer {
    return this.#store.subarray(0, this.#size);
  }

  /** Whether more came with the last piece than was asked for. */
  overrun = false;

  /** Takes the next piece. @returns whether the reply is complete @throws MessageTooLargeError */
  add(piece: Buffer): boolean {
    const wanted = this.#wanted;
    this.overrun = piece.length > wanted;
    const taken = this.overrun ? piece.subarray(0, wanted) : piece;
    const size = this.#size + taken.length;
    if (size > this.#limit) throw new MessageTooLargeError(size, this.#limit, { hint: TOO_LARGE });
    this.#append(taken, size);
    return this.#until === 'first' || taken.length === wanted;
  }

  /** The peer sends no more: the reply as it is. @throws TruncatedMessageError where bytes are missing */
  end(): Buffer {
    if (this.#wanted === Number.POSITIVE_INFINITY) return this.bytes;
    const came = `${this.#size.toLocaleString('en')} of ${(this.#size + this.#wanted).toLocaleString('en')} bytes`;
    throw new TruncatedMessageError(`the peer ended after ${came} of its reply`, { received: this.bytes });
  }

  #append(piece: Buffer, size: number): void {
    if (this.#size === 0) {
      this.#store = piece;
    } else {
      if (size > this.#store.length) {
        const larger = Buffer.allocUnsafeSlow(Math.min(this.#limit, Math.max(size, 2 * this.#size)));
        this.#store.copy(larger, 0, 0, this.#size);
        this.#store = larger;
      }
      piece.copy(this.#store, this.#size);
    }
    this.#size = size;
  }

  /** How many bytes are missing, where their number is known. */
  get #wanted(): number {
    return typeof this.#until === 'object' && 'bytes' in this.#until
      ? this.#until.bytes - this.#size
      : Number.POSITIVE_INFINITY;
  }
}

const NOTHING = Buffer.alloc(0);
const TOO_LARGE = 'Raise maxReplyBytes, or use connect() with framing: raw() and read piece by piece.';
