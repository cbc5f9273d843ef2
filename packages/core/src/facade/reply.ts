/** A reply on its way in over raw bytes, which don't say where it ends: pure, told of pieces and of the end. */
import { InvalidOptionError, MessageTooLargeError, TruncatedMessageError } from '../errors/index.js';
import { integer, milliseconds } from '../policy/option.js';

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
      return { bytes: integer('until.bytes', until.bytes, { fallback: 0, min: 1, max: maxReplyBytes }) };
    }
    if ('quiet' in until && until.quiet !== undefined) {
      return { quiet: milliseconds('until.quiet', until.quiet, 0) };
    }
  }
  throw new InvalidOptionError('until', `until must be 'end', 'first', { bytes } or { quiet }`);
}

export class Reply {
  readonly #until: ReplyEnd;
  readonly #limit: number;
  #pieces: Buffer[] = [];
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
    if (this.#pieces.length === 1) return this.#pieces[0] as Buffer;
    const all = Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [all];
    return all;
  }

  /** Takes the next piece and tells whether the reply is whole. @throws MessageTooLargeError */
  add(piece: Buffer): boolean {
    const wanted = this.#wanted;
    const taken = piece.length > wanted ? piece.subarray(0, wanted) : piece;
    this.#size += taken.length;
    if (this.#size > this.#limit)
      throw new MessageTooLargeError(this.#size, this.#limit, { hint: TOO_LARGE });
    this.#pieces.push(taken);
    return this.#until === 'first' || taken.length === wanted;
  }

  /** The peer sends no more: the reply as it is. @throws TruncatedMessageError where bytes are missing */
  end(): Buffer {
    if (this.#wanted === Number.POSITIVE_INFINITY) return this.bytes;
    const came = `${this.#size.toLocaleString('en')} of ${(this.#size + this.#wanted).toLocaleString('en')} bytes`;
    throw new TruncatedMessageError(`the peer ended after ${came} of its reply`, { received: this.bytes });
  }

  /** How many bytes are missing, where their number is known. */
  get #wanted(): number {
    return typeof this.#until === 'object' && 'bytes' in this.#until
      ? this.#until.bytes - this.#size
      : Number.POSITIVE_INFINITY;
  }
}

const TOO_LARGE = 'Raise maxReplyBytes, or use connect() with framing: raw() and read piece by piece.';
