/** Core's failures under our names. */
import { CredentialsError, MalformedDerError, UnusableKeyError } from '@knsock/core/errors';
import { CertificateError, type CertificateErrorCode } from '../errors.js';

const codes: Readonly<Record<string, CertificateErrorCode>> = {
  passphrase: 'KNSOCK_CERTIFICATE_PASSPHRASE',
  unsupported: 'KNSOCK_CERTIFICATE_UNSUPPORTED',
  mismatch: 'KNSOCK_CERTIFICATE_KEY_MISMATCH',
};

/** Runs a reader of core's and gives its failure our name, and the file where it is known. */
export function fromCore<T>(read: () => T, file?: string): T {
  try {
    return read();
  } catch (cause) {
    throw asCertificateError(cause, file);
  }
}

/** The same failure as one of ours; what isn't core's stays as it is. */
export function asCertificateError(cause: unknown, file?: string): unknown {
  const where = file === undefined ? '' : `${file}: `;
  if (cause instanceof MalformedDerError) {
    const { message, hint, offset } = cause;
    const code =
      cause instanceof UnusableKeyError ? 'KNSOCK_CERTIFICATE_KEY' : 'KNSOCK_CERTIFICATE_MALFORMED';
    return new CertificateError(code, `${where}${message}`, { cause, hint, file, offset });
  }
  if (!(cause instanceof CredentialsError)) return cause;
  const { reason, message, hint } = cause;
  const isUnusable = cause.cause instanceof UnusableKeyError;
  const code = isUnusable ? 'KNSOCK_CERTIFICATE_KEY' : (codes[reason] ?? 'KNSOCK_CERTIFICATE_MALFORMED');
  return new CertificateError(code, `${where}${message}`, { cause, hint, file });
}
