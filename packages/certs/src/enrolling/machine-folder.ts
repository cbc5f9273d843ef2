/**
 * The folder of an enrolled machine:
 *
 *   tls.crt           its certificate and its issuers (what `certFile` takes)
 *   tls.key           its key, mode 0600; made here
 *   ca.crt            trusted roots: the authority's, both while it changes
 *   enrolment.json    the authority's address, and the token used (only its id)
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, PUBLIC, readIfThere, SECRET, writeAtomic } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';
import { withProcessLock } from '../files/process-lock.js';

/** A machine's record of its enrolment. */
export interface EnrolmentRecord {
  /** `host:port` of the authority. */
  readonly authority: string;
  /** SHA-256 fingerprint of the root at enrolment, lower-case hex. */
  readonly root: string;
  readonly token: string;
}

/** Timeout for another process that enrols, in ms. */
const LOCK_TIMEOUT = 60_000;

export class MachineFolder {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.certFile = join(directory, 'tls.crt');
    this.keyFile = join(directory, 'tls.key');
    this.caFile = join(directory, 'ca.crt');
  }

  /** Creates the folder, accessible only to its owner. */
  prepare(): Promise<void> {
    return makeFolder(this.#directory);
  }

  /** Runs `work` while no other process enrols here. */
  exclusively<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withProcessLock(join(this.#directory, '.enrolling'), { timeout: LOCK_TIMEOUT, signal }, work);
  }

  /** undefined if nothing was enrolled. @throws CertificateError `KNSOCK_CERTIFICATE_STORE` */
  async record(): Promise<EnrolmentRecord | undefined> {
    const file = join(this.#directory, 'enrolment.json');
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    try {
      const { authority, root, token } = JSON.parse(text) as Partial<EnrolmentRecord>;
      if (typeof authority === 'string' && typeof root === 'string' && typeof token === 'string')
        return { authority, root, token };
    } catch {
      // Reported below.
    }
    throw new CertificateError('KNSOCK_CERTIFICATE_STORE', `${file} is damaged`, { file });
  }

  async remember(record: EnrolmentRecord, ca: string): Promise<void> {
    await this.trust(ca);
    await writeAtomic(join(this.#directory, 'enrolment.json'), `${JSON.stringify(record)}\n`, {
      mode: PUBLIC,
      overwrite: true,
    });
  }

  /** @param ca PEM */
  trust(ca: string): Promise<void> {
    return writeAtomic(this.caFile, ca, { mode: PUBLIC, overwrite: true });
  }

  /** The pending key of a token, kept until its certificate is in place. */
  pendingKey(token: string): Promise<string | undefined> {
    return readIfThere(this.#pending(token));
  }

  keepPendingKey(token: string, key: string): Promise<void> {
    return writeAtomic(this.#pending(token), key, { mode: SECRET, overwrite: false });
  }

  forgetPendingKey(token: string): Promise<void> {
    return rm(this.#pending(token), { force: true });
  }

  #pending(token: string): string {
    return join(this.#directory, `.enrolling-${token}.key`);
  }
}
