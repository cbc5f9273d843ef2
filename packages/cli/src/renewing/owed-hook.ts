/**
 * The hook of an enrolled machine, which runs for each certificate that is put in place: the folder keeps for which one
 * it last succeeded (`.hook`). One that failed, or that a crash kept from running, is run at the next look; without
 * that, a program would go on with the old certificate until it has expired.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PUBLIC } from '../files.js';
import { writeFiles } from '../written-files.js';

export class OwedHook {
  readonly #hook: () => Promise<void>;
  readonly #certFile: string;
  readonly #file: string;

  constructor(hook: () => Promise<void>, dir: string) {
    this.#hook = hook;
    this.#certFile = path.join(dir, 'tls.crt');
    this.#file = path.join(dir, '.hook');
  }

  /** Before a renewal: what is in place at the very first one is taken for loaded. */
  async begin(): Promise<void> {
    if ((await this.#last()) === undefined) await this.#keep(await this.#current());
  }

  /** After a renewal. */
  async run(): Promise<void> {
    const current = await this.#current();
    await this.#hook();
    await this.#keep(current);
  }

  /** Runs it where it hasn't succeeded for the certificate in place. @throws CertificateError `KNSOCK_CERTIFICATE_HOOK` */
  async settle(): Promise<void> {
    if ((await this.#last()) === (await this.#current())) return;
    await this.run().catch(async (cause: unknown) => {
      const { CertificateError } = await import('@knsock/certs');
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the hook after an earlier renewal of ${this.#certFile} failed again: ${why}`;
      throw new CertificateError('KNSOCK_CERTIFICATE_HOOK', message, { cause, file: this.#certFile });
    });
  }

  async #current(): Promise<string> {
    const { fingerprint } = await import('@knsock/certs');
    return (await fingerprint(await readFile(this.#certFile))).sha256;
  }

  async #last(): Promise<string | undefined> {
    return readFile(this.#file, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    );
  }

  #keep(fingerprint: string): Promise<void> {
    return writeFiles([{ file: this.#file, data: `${fingerprint}\n`, mode: PUBLIC }], true);
  }
}
