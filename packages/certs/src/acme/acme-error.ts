import { CertificateError, type CertificateErrorCode, type CertificateErrorDetails } from '../errors.js';

/** Details of a failure at an ACME server. */
export interface AcmeErrorDetails extends CertificateErrorDetails {
  /** The last part of the problem's type, such as `rateLimited`. */
  problem?: string | undefined;
  /** When the server may be asked again. */
  retryAt?: Date | undefined;
}

/** An ACME server can't be used, or refuses; match on `code`. */
export class AcmeError extends CertificateError {
  static override readonly brand: string = 'AcmeError';
  /** The last part of the problem's type (RFC 8555 §6.7), such as `rateLimited`; undefined where the server sent none. */
  readonly problem: string | undefined;
  /** When the server may be asked again, where it said so; renewals wait until then. */
  readonly retryAt: Date | undefined;

  constructor(code: CertificateErrorCode, message: string, details: AcmeErrorDetails = {}) {
    const { problem, retryAt, ...rest } = details;
    super(code, message, rest);
    this.problem = problem;
    this.retryAt = retryAt;
  }
}

/** An answer that breaks RFC 8555, or none. */
export function directoryFailure(message: string, cause?: unknown): AcmeError {
  return new AcmeError('KNSOCK_ACME_DIRECTORY', message, cause === undefined ? {} : { cause });
}
