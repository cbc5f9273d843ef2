/**
 * Reads files of certificates, keys and lists, whatever is there in their place: endless devices, pipes without a writer,
 * and what grows meanwhile.
 */
// node:fs/promises would load Node's watchers and readline with it, which short programs feel.
import { close, constants, fstat, open, read } from 'node:fs';
import { promisify } from 'node:util';

/** How much is read, and how long a pipe may stay silent. */
export interface ReadBounds {
  /** Default 64 MiB, far more than any such file needs. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds; default 30,000. */
  readonly silence?: number | undefined;
  /** Ends the wait for a pipe, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const MAX_BYTES = 64 * 1_048_576;
const PIECE = 65_536;
const SILENCE = 30_000;
/** Milliseconds between two looks at a pipe that has nothing to read. */
const PAUSE = 10;

const openFile = promisify(open);
const closeFile = promisify(close);
const readPiece = promisify(read);
const statOf = promisify(fstat);

/**
 * The bytes of a file, a pipe or a device.
 * @throws the system's error; one with the code `EFBIG` for more than `maxBytes`, `ETIMEDOUT` for a pipe that stays silent
 */
export async function readWhole(file: string, bounds: ReadBounds = {}): Promise<Buffer> {
  // An open of a pipe without a writer would never return, and block the thread that tries it; Windows has no such flag.
  const descriptor = await openFile(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await readAll(descriptor, bounds);
  } finally {
    await closeFile(descriptor);
  }
}

async function readAll(
  descriptor: number,
  { maxBytes = MAX_BYTES, silence = SILENCE, signal }: ReadBounds,
): Promise<Buffer> {
  const found = await statOf(descriptor);
  if (found.isFile() && found.size > maxBytes) throw tooLarge(maxBytes);
  const pieces: Buffer[] = [];
  let size = 0;
  let heard = Date.now();
  for (;;) {
    signal?.throwIfAborted();
    const piece = await readSome(descriptor);
    if (piece !== undefined && piece.length > 0) {
      size += piece.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      pieces.push(piece);
      heard = Date.now();
      continue;
    }
    // A pipe that nobody writes to yet is at its end too.
    const isOver = piece !== undefined && (size > 0 || !found.isFIFO());
    if (isOver) return Buffer.concat(pieces, size);
    if (Date.now() - heard >= silence) throw silent(silence);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

/** Undefined where there is nothing to read yet. */
async function readSome(descriptor: number): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(PIECE);
  try {
    const { bytesRead } = await readPiece(descriptor, buffer, 0, PIECE, null);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

function tooLarge(maxBytes: number): Error {
  const message = `it is over the limit of ${maxBytes.toLocaleString('en')} bytes`;
  return Object.assign(new Error(message), { code: 'EFBIG' });
}

function silent(silence: number): Error {
  const message = `nothing came through this pipe for ${silence.toLocaleString('en')} ms`;
  return Object.assign(new Error(message), { code: 'ETIMEDOUT' });
}
