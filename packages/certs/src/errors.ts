import { EasySocketError, type ErrorDetails } from '@knsock/core/errors';
import { codes, type CertificateErrorCode } from './error-codes.js';

export type { CertificateErrorCode } from './error-codes.js';

/** Details of a certificate error, beside its message. */
export interface CertificateErrorDetails extends ErrorDetails {
  /** The file at fault, where there is one. */
  file?: string | undefined;
  /** Where in the bytes the trouble starts, where that is known. */
  offset?: number | undefined;
}

/** A certificate, key, request, revocation list or store can't be made, read or used; match on `code`. */
export class CertificateError extends EasySocketError {
  static override readonly brand: string = 'CertificateError';
  declare readonly code: CertificateErrorCode;
  /** The file at fault, where there is one. */
  readonly file: string | undefined;
  /** Where in the bytes the trouble starts, where that is known. */
  readonly offset: number | undefined;

  constructor(code: CertificateErrorCode, message: string, details: CertificateErrorDetails = {}) {
    super(code, message, { ...codes[code], ...details });
    this.file = details.file;
    this.offset = details.offset;
  }
}
