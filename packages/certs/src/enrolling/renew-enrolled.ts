/** Renewal of a machine's certificate at the authority where it was enrolled. */
import {
  filePath,
  milliseconds,
  readAllOptions,
  required,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { renew, renewOptions, type RenewOptions, type RenewResult } from '../renewal/renew.js';
import { watchRenewalOptions, watchRenewal, type WatchRenewalOptions } from '../renewal/watch-renewal.js';
import { ANSWER_TIMEOUT, enrolledIssuer, notEnrolled } from './enrolled-issuer.js';
import { MachineFolder } from './machine-folder.js';

interface Place {
  /** The folder that `enroll` filled. */
  readonly dir: string;
  /** Timeout for each response of the authority, in ms; default 30,000. */
  readonly timeout?: number | undefined;
}

type Decided = 'certFile' | 'keyFile' | 'issuer' | 'keyPassphrase';

/** Options of `renewEnrolled`: those of `renew`; files and issuer come from the folder. */
export type RenewEnrolledOptions = Place & Omit<RenewOptions, Decided>;

/** Options of `watchEnrolled`: those of `watchRenewal`; files and issuer come from the folder. */
export type WatchEnrolledOptions = Place & Omit<WatchRenewalOptions, Decided>;

/** How the options of a machine's folder are read, and their defaults. */
export const placeOptions = {
  dir: required<string>(filePath),
  timeout: withDefault<number>(milliseconds, ANSWER_TIMEOUT),
} as const satisfies OptionReaders<Place>;

/** How those of `renewEnrolled` are read, and their defaults. */
export const renewEnrolledOptions = {
  ...withoutDecided(renewOptions),
  ...placeOptions,
} as const satisfies OptionReaders<RenewEnrolledOptions>;

/** How those of `watchEnrolled` are read, and their defaults. */
export const watchEnrolledOptions = {
  ...withoutDecided(watchRenewalOptions),
  ...placeOptions,
} as const satisfies OptionReaders<WatchEnrolledOptions>;

/**
 * Renews the certificate of a folder if it is due: over mutual TLS, with the certificate itself. An expired one is
 * renewed for its own key if the authority has a grace period. A new root is trusted if the old one has signed it.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND` if nothing was enrolled there, `_ENROLMENT` if the authority
 *   refuses; as `renew`; what `connect` throws
 */
export async function renewEnrolled(options: RenewEnrolledOptions): Promise<RenewResult> {
  return renew(await withIssuer(readAllOptions(options, renewEnrolledOptions)));
}

/**
 * Renews whenever the certificate is due, until the signal fires, as `watchRenewal` does.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND` where nothing was enrolled there
 */
export async function watchEnrolled(options: WatchEnrolledOptions): Promise<void> {
  return watchRenewal(await withIssuer(readAllOptions(options, watchEnrolledOptions)));
}

async function withIssuer<T extends { readonly dir: string; readonly timeout: number }>({
  dir,
  timeout,
  ...rest
}: T) {
  const folder = new MachineFolder(dir);
  if ((await folder.record()) === undefined) throw notEnrolled(dir);
  const { certFile, keyFile } = folder;
  return { ...rest, certFile, keyFile, issuer: enrolledIssuer(dir, timeout) };
}

function withoutDecided<T extends Record<Decided, unknown>>({
  certFile: _cert,
  keyFile: _key,
  issuer: _issuer,
  keyPassphrase: _passphrase,
  ...rest
}: T) {
  return rest;
}
