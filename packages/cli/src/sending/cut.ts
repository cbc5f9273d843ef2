/** Splits bytes into messages. Those that end in one chunk are yielded together: a generator step costs more than a message. */
import { UsageError } from '../usage-error.js';

/** How bytes become messages. */
export interface Cut {
  /** One message per line; everything as one message; messages of a fixed size; or the chunks as they arrive. */
  readonly by: 'line' | 'whole' | 'piece' | { readonly bytes: number };
  /** Maximum size of a message in bytes. */
  readonly limit: number;
}

export async function* cutBytes(
  pieces: AsyncIterable<Buffer>,
  { by, limit }: Cut,
): AsyncGenerator<readonly Buffer[]> {
  if (by === 'piece') for await (const piece of pieces) yield [piece];
  else if (by === 'line') yield* byLine(pieces, limit);
  else if (by === 'whole') yield [await whole(pieces, limit)];
  else yield* bySize(pieces, by.bytes);
}

const LF = 0x0a;
const CR = 0x0d;

async function* byLine(pieces: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Buffer[]> {
  const held = new Gathered();
  for await (const piece of pieces) {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = piece.indexOf(LF); end !== -1; end = piece.indexOf(LF, start)) {
      held.add(piece.subarray(start, end));
      lines.push(withoutCr(held.take()));
      start = end + 1;
    }
    if (lines.length > 0) yield lines;
    held.add(piece.subarray(start));
    if (held.bytes > limit) throw tooLarge('a line of the input is', limit);
  }
  if (held.bytes > 0) yield [withoutCr(held.take())];
}

async function whole(pieces: AsyncIterable<Buffer>, limit: number): Promise<Buffer> {
  const held = new Gathered();
  for await (const piece of pieces) {
    held.add(piece);
    if (held.bytes > limit) throw tooLarge('the input is one message,', limit);
  }
  return held.take();
}

async function* bySize(pieces: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer[]> {
  const held = new Gathered();
  for await (const piece of pieces) {
    const parts: Buffer[] = [];
    let rest = piece;
    while (held.bytes + rest.length >= size) {
      const missing = size - held.bytes;
      held.add(rest.subarray(0, missing));
      parts.push(held.take());
      rest = rest.subarray(missing);
    }
    if (parts.length > 0) yield parts;
    held.add(rest);
  }
  if (held.bytes > 0) yield [held.take()];
}

/** Chunks of an incomplete message: joined once, however many they are. */
class Gathered {
  bytes = 0;
  #pieces: Buffer[] = [];

  add(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.bytes += piece.length;
  }

  take(): Buffer {
    const [only] = this.#pieces;
    const all = only?.length === this.bytes ? only : Buffer.concat(this.#pieces, this.bytes);
    this.#pieces = [];
    this.bytes = 0;
    return all;
  }
}

function withoutCr(line: Buffer): Buffer {
  return line.at(-1) === CR ? line.subarray(0, -1) : line;
}

function tooLarge(what: string, limit: number): UsageError {
  return new UsageError(
    `${what} over the limit of ${limit.toLocaleString('en')} bytes`,
    'Send it in pieces (--chunk 64KiB) or as a stream (--framing raw), or raise --max-message on both sides.',
    'KNSOCK_MESSAGE_TOO_LARGE',
  );
}
