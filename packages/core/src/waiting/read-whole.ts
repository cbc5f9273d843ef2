/**
 * Reads files of certificates, keys and lists, whatever is there in their place: endless devices, pipes without a writer,
 * and what grows meanwhile.
 */
// node:fs/promises would load Node's watchers and readline with it, which short programs feel.
import { close, constants, fstat, open, read, stat, type Stats } from 'node:fs';
import { promisify } from 'node:util';

/** How much is read, and how long a pipe may stay silent. */
export interface ReadBounds {
  /** Default 64 MiB, far more than any such file needs. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds; default 30,000. */
  readonly silence?: number | undefined;
  /** Ends the wait for a pipe, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Opens regular files alone: what is read again and again must not wait for a pipe, or touch a device. Default false. */
  readonly onlyRegular?: boolean | undefined;
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
const statAt = promisify(stat);

/**
 * The bytes of a file, a pipe or a device.
 * @throws the system's error; one with the code `EFBIG` for more than `maxBytes`, `ETIMEDOUT` for a pipe that stays silent,
 * `EFTYPE` for what can't be read, or isn't regular where only that is
 */
export async function readWhole(file: string, bounds: ReadBounds = {}): Promise<Buffer> {
  requireReadable(await statAt(file), bounds);
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
  { maxBytes = MAX_BYTES, silence = SILENCE, signal, onlyRegular }: ReadBounds,
): Promise<Buffer> {
  const found = await statOf(descriptor);
  // It may have been replaced since the first look.
  requireReadable(found, { onlyRegular });
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

function requireReadable(found: Stats, { onlyRegular = false }: ReadBounds): void {
  const kind = kindOf(found);
  if (kind === 'a folder') throw failure('EISDIR', 'it is a folder');
  if (kind === 'a socket' || (onlyRegular && kind !== 'a file'))
    throw failure('EFTYPE', `it is ${kind}, not a file`);
}

/** What is there, in words. */
export function kindOf(found: Stats): 'a file' | 'a folder' | 'a pipe' | 'a socket' | 'a device' {
  if (found.isFile()) return 'a file';
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
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
  return failure('EFBIG', `it is over the limit of ${maxBytes.toLocaleString('en')} bytes`);
}

function silent(silence: number): Error {
  return failure('ETIMEDOUT', `nothing came through this pipe for ${silence.toLocaleString('en')} ms`);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
