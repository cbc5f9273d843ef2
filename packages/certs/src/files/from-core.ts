/** Translates core's errors into this package's. */
import { CredentialsError, MalformedDerError, UnusableKeyError } from '@knsock/core/errors';
import { CertificateError, type CertificateErrorCode } from '../errors.js';

const codes: Readonly<Record<string, CertificateErrorCode>> = {
  passphrase: 'KNSOCK_CERTIFICATE_PASSPHRASE',
  unsupported: 'KNSOCK_CERTIFICATE_UNSUPPORTED',
  mismatch: 'KNSOCK_CERTIFICATE_KEY_MISMATCH',
};

/** Runs a reader of core's and translates its error, with the file if it is known. */
export function fromCore<T>(read: () => T, file?: string): T {
  try {
    return read();
  } catch (cause) {
    throw asCertificateError(cause, file);
  }
}

/** The same failure as an error of this package; errors that aren't core's stay as they are. */
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
