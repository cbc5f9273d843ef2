/** Credentials of a machine that enrols if necessary, renews automatically, and follows its authority's root. */
import {
  abortSignal,
  failures,
  fraction,
  noConnection,
  readAllOptions,
  string,
  texts,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import type { Credentials, CredentialSource, CredentialsWarning, WatchedCredentials } from '@knsock/core';
import { CertificateError } from '../errors.js';
import { parseToken } from '../enrolment/enrolment-token.js';
import { readIfThere } from '../files/atomic-file.js';
import { readCertificates } from '../files/source.js';
import { parseNames } from '../issuing/names.js';
import { DEFAULT_KEY_TYPE, keyTypeOption, type KeyType } from '../keys/keys.js';
import { RENEW_AT, renewalDate } from '../renewal/renewal.js';
import { RenewingCredentials } from '../renewal/renewing-credentials.js';
import { enroll } from './enroll.js';
import { notEnrolled } from './enrolled-issuer.js';
import { namesOf } from './granted.js';
import { MachineFolder } from './machine-folder.js';
import { placeOptions, renewEnrolled, watchEnrolled } from './renew-enrolled.js';

/** Options of `enrolledCredentials`. */
export interface EnrolledCredentialsOptions {
  /** Folder for certificate, key and root. Processes may share it: one enrols, and each loads what another renews. */
  readonly dir: string;
  /** Token to enrol with if the folder holds no certificate, or an expired one; ignored otherwise. */
  readonly token?: string | undefined;
  /** The expected authority (`host:port`); a token or folder of another one is refused. Default: the token's, or the folder's. */
  readonly authority?: string | undefined;
  /** The names that the certificate must have; default the token's. */
  readonly names?: readonly string[] | undefined;
  /** Default `p256`. */
  readonly keyType?: KeyType | undefined;
  /** Fraction of its validity after which it is renewed, between 0 and 1; default 2/3. */
  readonly renewAt?: number | undefined;
  /** Timeout for each response of the authority, in ms; default 30,000. */
  readonly timeout?: number | undefined;
  /** Stops the renewals; the last credentials stay. */
  readonly signal?: AbortSignal | undefined;
  /** Receives failures of renewals, which are retried, and of listeners; default a process warning. */
  readonly onError?: ((error: Error) => void | Promise<void>) | undefined;
}

/** How each of them is read, and its default. */
export const enrolledCredentialsOptions = {
  ...placeOptions,
  token: string<string | undefined>,
  authority: string<string | undefined>,
  names: texts<readonly string[] | undefined>,
  keyType: withDefault<KeyType>(keyTypeOption, DEFAULT_KEY_TYPE),
  renewAt: withDefault<number>(fraction, RENEW_AT),
  signal: abortSignal,
  onError: failures,
} as const satisfies OptionReaders<EnrolledCredentialsOptions>;

/** The same with their defaults. */
type Settings = ReadOptions<typeof enrolledCredentialsOptions>;

/** State of the renewals. */
export interface EnrolmentStatus {
  /** The names in the certificate. */
  readonly names: readonly string[];
  /** When the certificate expires. */
  readonly notAfter: Date;
  /** When the next renewal is scheduled. */
  readonly dueAt: Date;
  /** Error of the last attempt; undefined if it succeeded. */
  readonly lastError: Error | undefined;
}

/** Credentials with automatic renewal. */
export interface EnrolledCredentials extends CredentialSource, AsyncDisposable {
  /** Calls `listener` with `current.warnings` when they change, which they may while the set stays the same. The function returned ends that. */
  onWarnings(listener: (warnings: readonly CredentialsWarning[]) => void | Promise<void>): () => void;
  /** Renews now, whether it is due or not. @throws as `renewEnrolled`; the current set stays */
  renew(): Promise<Credentials>;
  /** The folder's current certificate, and when it is renewed. */
  status(): EnrolmentStatus;
  /** Ends the renewing; the last credentials stay. */
  close(): Promise<void>;
}

/**
 * Enrols if the folder holds no usable certificate, and resolves with credentials for `listen`, `connect` and pools,
 * which rotate whenever the certificate is renewed, here or by another process. With a valid certificate in the folder
 * the authority needn't be reachable at the start.
 * @throws InvalidOptionError, CertificateError and what `connect` throws, as `enroll`; CredentialsError
 */
export async function enrolledCredentials(given: EnrolledCredentialsOptions): Promise<EnrolledCredentials> {
  const options = readAllOptions(given, enrolledCredentialsOptions);
  const { signal, onError: reporter } = options;
  signal?.throwIfAborted();
  const folder = new MachineFolder(options.dir);
  await settle(folder, options);
  await checkAuthority(folder, options);
  const { watchCredentials } = await import('@knsock/core');
  const { certFile, keyFile, caFile } = folder;
  const watched = await watchCredentials(
    { certFile, keyFile, caFile },
    {
      onError: (error) => {
        reporter.report(error, noConnection, "following the certificate's files");
      },
    },
  );
  checkNames(watched.current, options);
  return new RenewedByEnrolment(watched, options);
}

/** Makes sure that the folder holds a usable certificate, if possible. */
async function settle(folder: MachineFolder, options: Settings): Promise<void> {
  const { dir, token, names, keyType, timeout, signal } = options;
  const cert = await readIfThere(folder.certFile);
  const [leaf] = cert === undefined ? [] : await readCertificates(cert);
  if (leaf !== undefined && leaf.notAfter >= new Date() && (await folder.record()) !== undefined) return;
  if (leaf !== undefined) {
    const renewed = await renewEnrolled({ dir, timeout, signal }).catch((error: unknown) => {
      if (token === undefined) throw error;
      return undefined;
    });
    if (renewed !== undefined) return;
  }
  if (token === undefined) throw notEnrolled(dir);
  checkToken(token, options);
  await enroll({ dir, token, names, keyType, timeout, signal, force: leaf !== undefined });
}

function checkToken(token: string, { authority }: Settings): void {
  const { address } = parseToken(token);
  if (authority !== undefined && authority !== address)
    throw new InvalidOptionError(
      'token',
      `the token is for the authority at ${address}, not at ${authority}`,
    );
}

async function checkAuthority(folder: MachineFolder, { dir, authority }: Settings): Promise<void> {
  const record = await folder.record();
  if (authority === undefined || record === undefined || record.authority === authority) return;
  throw new InvalidOptionError(
    'authority',
    `${dir} was enrolled at ${record.authority}, not at ${authority}`,
  );
}

function checkNames({ certificate }: Credentials, { dir, names }: Settings): void {
  const wanted = parseNames(names ?? []).map(({ value }) => value);
  const has = certificate === null ? [] : namesOf(certificate);
  const missing = wanted.find((name) => !has.includes(name));
  if (missing === undefined) return;
  throw new InvalidOptionError(
    'names',
    `the certificate in ${dir} is for ${has.join(', ')}, not for ${missing}`,
  );
}

class RenewedByEnrolment extends RenewingCredentials implements EnrolledCredentials {
  readonly #options: Settings;

  constructor(watched: WatchedCredentials, options: Settings) {
    super(watched, options.signal);
    this.#options = options;
    const { dir, renewAt, timeout, onError: reporter } = options;
    const failed = (error: unknown): void => {
      reporter.report(error, noConnection, `the renewal of the certificate in ${dir}`);
    };
    const renewals = watchEnrolled({
      ...{ dir, renewAt, timeout },
      signal: this.closing,
      onRenewed: async () => {
        this.lastError = undefined;
        await watched.reload();
      },
      onError: (error) => {
        this.lastError = error;
        failed(error);
      },
    });
    this.keepRunning(renewals.catch(failed));
  }

  async renew(): Promise<Credentials> {
    const { dir, timeout, renewAt } = this.#options;
    await this.attempt(() => renewEnrolled({ dir, timeout, renewAt, force: true, signal: this.closing }));
    return this.watched.reload();
  }

  status(): EnrolmentStatus {
    const { certificate } = this.current;
    if (certificate === null)
      throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', 'there is no certificate');
    const dueAt = renewalDate(certificate, this.#options.renewAt);
    return { names: namesOf(certificate), notAfter: certificate.notAfter, dueAt, lastError: this.lastError };
  }
}
