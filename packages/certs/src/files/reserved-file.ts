/** A file whose space is taken before its content is known: it can be written when the disk is full by then. */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError, flushDirectory, SECRET, temporaryName } from './atomic-file.js';

export class ReservedFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /**
   * Only for its owner, as is the file.
   * @throws CertificateError `KNSOCK_CERTIFICATE_FILE` where there is no space for it.
   */
  static async reserve(path: string, bytes: number): Promise<ReservedFile> {
    const temporary = temporaryName(path);
    try {
      const reserved = new ReservedFile(path, temporary, await open(temporary, 'wx', SECRET));
      try {
        await reserved.#put(Buffer.alloc(bytes, ' '));
      } catch (error) {
        await reserved.release();
        throw error;
      }
      return reserved;
    } catch (cause) {
      throw fileError(path, 'write', cause);
    }
  }

  /**
   * Writes the file atomically, in place of what is there; once.
   * @throws CertificateError `KNSOCK_CERTIFICATE_FILE`
   */
  async write(data: string): Promise<void> {
    try {
      await this.#put(Buffer.from(data));
      await rename(this.#temporary, this.#path);
      await flushDirectory(dirname(this.#path));
    } catch (cause) {
      throw fileError(this.#path, 'write', cause);
    }
  }

  /** Gives back what isn't needed any more, whether it was written or not. */
  async release(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.#temporary, { force: true }).catch(() => undefined);
  }

  async #put(data: Buffer): Promise<void> {
    for (let done = 0; done < data.length;) {
      const { bytesWritten } = await this.#file.write(data, done, data.length - done, done);
      done += bytesWritten;
    }
    await this.#file.truncate(data.length);
    // Some file systems allocate only now.
    await this.#file.sync();
  }
}
