/**
 * The folder of a machine that was enrolled, as a person sees it:
 *
 *   tls.crt           its certificate and its issuers (what `certFile` takes)
 *   tls.key           its key, mode 0600; it was made here
 *   ca.crt            whom it trusts: the authority's root, both while that changes
 *   enrolment.json    where the authority is, and which token it came by (its id alone)
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, PUBLIC, readIfThere, SECRET, writeAtomic } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';
import { withProcessLock } from '../files/process-lock.js';

/** What a machine remembers of its enrolment. */
export interface EnrolmentRecord {
  /** `host:port` of the authority. */
  readonly authority: string;
  /** SHA-256 fingerprint of the root at enrolment, lower-case hex. */
  readonly root: string;
  readonly token: string;
}

/** How long another process may take to enrol, in ms. */
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

  /** Makes the folder, for its owner alone. */
  prepare(): Promise<void> {
    return makeFolder(this.#directory);
  }

  /** Runs `work` while no other process enrols here. */
  exclusively<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withProcessLock(join(this.#directory, '.enrolling'), { timeout: LOCK_TIMEOUT, signal }, work);
  }

  /** undefined where nothing was enrolled. @throws CertificateError `KNSOCK_CERTIFICATE_STORE` */
  async record(): Promise<EnrolmentRecord | undefined> {
    const file = join(this.#directory, 'enrolment.json');
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    try {
      const { authority, root, token } = JSON.parse(text) as Partial<EnrolmentRecord>;
      if (typeof authority === 'string' && typeof root === 'string' && typeof token === 'string')
        return { authority, root, token };
    } catch {
      // Told below.
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

  /** The key that a token is about to be used for, kept until its certificate is in place. */
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
