import { CredentialsError } from '../errors/index.js';
import type { OwnChainWarning } from '../x509/index.js';

/** Something doubtful about credentials that load all the same. */
export interface CredentialsWarning {
  /**
   * `refused`: strict peers, knsock among them, refuse the chain, which OpenSSL may accept. `tls13-only`: TLS 1.2 has no
   * signatures by such a key (ML-DSA). `crl-older`, `crl-missing`: a followed file holds an earlier list, or none, where one
   * is in use, which stays. `not-followed`: it was read from a pipe or a device.
   */
  readonly reason:
    OwnChainWarning['reason'] | 'crl-stale' | 'crl-older' | 'crl-missing' | 'not-followed' | 'several-keys';
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** The file that it is about. */
  readonly file: string | undefined;
  /** Whether every peer would refuse: a server doesn't start with it, and `watchCredentials` keeps what it has. */
  readonly fatal: boolean;
}

/** Who serves others must not start, or go on to, credentials that all of them would refuse. @throws CredentialsError */
export function refuseWarnings(warnings: readonly CredentialsWarning[]): void {
  const first = warnings.find(({ fatal }) => fatal);
  if (first === undefined) return;
  const { reason, message, file } = first;
  throw new CredentialsError(reason as 'expired' | 'not-yet-valid' | 'crl-stale', message, { file });
}

/** Whether they say the same. */
export function isSameWarnings(
  some: readonly CredentialsWarning[],
  others: readonly CredentialsWarning[],
): boolean {
  const words = (warnings: readonly CredentialsWarning[]) =>
    warnings.map(({ message }) => message).join('\n');
  return words(some) === words(others);
}
