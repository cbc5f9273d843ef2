/** Credentials certified by a public CA through ACME (RFC 8555), which renew themselves. */
import { noConnection } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import type {
  AlpnChallenge,
  Credentials,
  CredentialSource,
  CredentialsWarning,
  WatchedCredentials,
} from '@knsock/core';
import { CertificateError } from '../errors.js';
import { RenewingCredentials } from '../renewal/renewing-credentials.js';
import { AcmeFolder } from './acme-folder.js';
import { readAcmeOptions, transportOf, type AcmeOptions } from './acme-options.js';
import { updateContact } from './contact.js';
import { obtain, usableLeaf, type Obtaining } from './obtain.js';
import { PendingChallenges } from './pending-challenges.js';
import { RenewalSchedule } from './renewal-schedule.js';

/** State of the renewals. */
export interface AcmeStatus {
  /** The names in the certificate. */
  readonly names: readonly string[];
  /** When the certificate expires. */
  readonly notAfter: Date;
  /** When the next renewal is scheduled. */
  readonly dueAt: Date;
  /** The page on which the CA explains the date that it suggests, where it names one. */
  readonly explanationUrl: string | undefined;
  /** Error of the last attempt; undefined if it succeeded. */
  readonly lastError: Error | undefined;
}

/** Credentials with automatic renewal by ACME. */
export interface AcmeCredentials extends CredentialSource, AsyncDisposable {
  /** Answers validations by tls-alpn-01; knsock's servers call it for `acme-tls/1` alone. */
  challengeFor(servername: string): AlpnChallenge | undefined;
  /** Calls `listener` with `current.warnings` when they change, which they may while the set stays the same. The function returned ends that. */
  onWarnings(listener: (warnings: readonly CredentialsWarning[]) => void | Promise<void>): () => void;
  /** Renews now, whether it is due or not. @throws as `acmeCredentials`; the current set stays */
  renew(): Promise<Credentials>;
  /** The current certificate, and when it is renewed. */
  status(): AcmeStatus;
  /** Ends the renewing; the last credentials stay. */
  close(): Promise<void>;
}

/**
 * Has the names certified if the folder holds no usable certificate for them, and resolves with credentials for
 * `listen`, which rotate whenever the certificate is renewed, here or by another process. With a valid certificate in
 * the folder the directory needn't be reachable at the start.
 * @throws InvalidOptionError; CertificateError `KNSOCK_CERTIFICATE_NAME`, `_FILE`, `_LOCKED`; AcmeError `KNSOCK_ACME_TERMS`,
 *   `_ACCOUNT`, `_PROFILE`, `_LISTEN`, `_VALIDATION`, `_RATE_LIMITED`, `_REFUSED`, `_CERTIFICATE`, `_DIRECTORY`;
 *   CredentialsError; the signal's reason
 */
export async function acmeCredentials(options: AcmeOptions): Promise<AcmeCredentials> {
  const settings = readAcmeOptions(options);
  const { signal, dir, caFile, crlFile } = settings;
  signal?.throwIfAborted();
  const folder = new AcmeFolder(dir);
  const pending = new PendingChallenges(settings.httpChallenges);
  const reporter = settings.onError;
  await folder.prepare();
  const work = { settings, folder, pending, reporter };
  const first = { ...work, isServed: () => false };
  if ((await usableLeaf(first)) === undefined || (await folder.isUnsettled()))
    await obtain(first, undefined, signal);
  const { watchCredentials } = await import('@knsock/core');
  const { certFile, keyFile } = folder;
  const onError = (error: Error): void => {
    reporter.report(error, noConnection, "following the certificate's files");
  };
  const watched = await watchCredentials({ certFile, keyFile, caFile, crlFile }, { onError });
  return new RenewedByAcme(watched, work);
}

class RenewedByAcme extends RenewingCredentials implements AcmeCredentials {
  readonly #work: Obtaining;
  readonly #schedule: RenewalSchedule;
  #listeners = 0;

  constructor(watched: WatchedCredentials, parts: Omit<Obtaining, 'isServed'>) {
    super(watched, parts.settings.signal);
    const { reporter } = parts;
    this.#work = { ...parts, isServed: () => this.#listeners > 0 };
    const { directory, renewAt, retryAfter } = parts.settings;
    this.#schedule = new RenewalSchedule(
      {
        ...{ directory, renewAt, retryAfter },
        transport: transportOf(parts.settings, this.closing),
        leaf: async () => (await parts.folder.leaf()) ?? this.#leaf(),
        renew: (old) => this.#renew(old),
        failed: (error) => {
          this.lastError = error;
          reporter.report(error, noConnection, 'the renewal of the certificate');
        },
        unadvised: (error) => {
          reporter.report(error, noConnection, 'asking the CA when to renew');
        },
      },
      this.closing,
    );
    this.keepRunning(Promise.all([this.#schedule.run(), this.#updateContact()]));
  }

  override onChange(listener: (next: Credentials) => void): () => void {
    const end = super.onChange(listener);
    this.#listeners += 1;
    let open = true;
    return () => {
      if (open) this.#listeners -= 1;
      open = false;
      end();
    };
  }

  challengeFor(servername: string): AlpnChallenge | undefined {
    return this.#work.pending.certificateFor(servername);
  }

  async renew(): Promise<Credentials> {
    await this.#renew((await this.#work.folder.leaf()) ?? this.#leaf());
    return this.current;
  }

  status(): AcmeStatus {
    const leaf = this.#leaf();
    return {
      names: this.#work.settings.identifiers.map(({ value }) => value),
      notAfter: leaf.notAfter,
      dueAt: this.#schedule.dueAt(leaf),
      explanationUrl: this.#schedule.explanationUrl(leaf),
      lastError: this.lastError,
    };
  }

  async #renew(old: X509Certificate): Promise<void> {
    await this.attempt(() => obtain(this.#work, old, this.closing));
    await this.watched.reload();
    await this.#updateContact();
  }

  /** Nothing depends on it: a failure is reported, and it is tried again after the next renewal. */
  async #updateContact(): Promise<void> {
    const { closing } = this;
    await updateContact(this.#work.folder, this.#work.settings, closing).catch((error: unknown) => {
      if (!closing.aborted) this.#work.reporter.report(error, noConnection, 'changing the address at the CA');
    });
  }

  #leaf(): X509Certificate {
    const { certificate } = this.current;
    if (certificate === null)
      throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', 'there is no certificate');
    return certificate;
  }
}
