/**
 * Follows an append-only file of lines: each call reads what was added since the last one. A file that was
 * replaced, truncated or rewritten is read again from its beginning.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { fileError, isCode } from '../files/atomic-file.js';

/** Receives the lines. */
export interface LineTaker {
  /** @param number of the line, from 1 on */
  take(line: string, number: number): void;
  /** Resets the state: the file is read from its beginning. */
  reset(): void;
  /** Called where there is no file; without it, or where it resolves, that is a file without lines. */
  absent?(): Promise<void>;
}

const NEWLINE = 0x0a;
/** Bytes before the current position that are read again, to notice a rewritten file. */
const MARK = 128;

export class FollowedLines {
  readonly #path: string;
  readonly #taker: LineTaker;
  #inode = 0;
  #offset = 0;
  #lines = 0;
  #mark: Buffer = Buffer.alloc(0);
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string, taker: LineTaker) {
    this.#path = path;
    this.#taker = taker;
  }

  /**
   * Reads every complete new line; a torn last one was never acknowledged. Calls are serialised.
   * @throws CertificateError `KNSOCK_CERTIFICATE_FILE`, or what `take` throws, at the next call again
   */
  catchUp(): Promise<void> {
    const turn = this.#turn.then(() => this.#look());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #look(): Promise<void> {
    let file: FileHandle | undefined;
    try {
      file = await open(this.#path, 'r');
      await this.#read(file);
    } catch (cause) {
      if (!isCode(cause, 'ENOENT')) throw fileError(this.#path, 'read', cause);
      await this.#taker.absent?.();
      this.#restart();
    } finally {
      await file?.close();
    }
  }

  async #read(file: FileHandle): Promise<void> {
    const { ino, size } = await file.stat();
    let start = this.#offset - this.#mark.length;
    let bytes = ino === this.#inode && size >= this.#offset ? await readFrom(file, start, size) : undefined;
    if (bytes?.subarray(0, this.#mark.length).equals(this.#mark) !== true) {
      this.#restart();
      start = 0;
      bytes = await readFrom(file, 0, size);
    }
    this.#inode = ino;
    this.#takeLines(bytes, this.#offset - start);
  }

  #takeLines(bytes: Buffer, from: number): void {
    let at = from;
    for (let end = bytes.indexOf(NEWLINE, at); end !== -1; end = bytes.indexOf(NEWLINE, at)) {
      this.#taker.take(bytes.toString('utf8', at, end), this.#lines + 1);
      this.#lines += 1;
      this.#offset += end + 1 - at;
      at = end + 1;
      this.#mark = Buffer.from(bytes.subarray(Math.max(0, at - MARK), at));
    }
  }

  #restart(): void {
    if (this.#offset > 0) this.#taker.reset();
    this.#inode = 0;
    this.#offset = 0;
    this.#lines = 0;
    this.#mark = Buffer.alloc(0);
  }
}

async function readFrom(file: FileHandle, start: number, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size - start);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
