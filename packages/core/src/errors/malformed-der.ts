import type { ErrorDetails } from './base.js';
import { SecurityError } from './security.js';

/** Bytes that should be a certificate or a CRL aren't valid DER (or PEM), or break X.509's syntax. */
export class MalformedDerError extends SecurityError {
  static override readonly brand: string = 'MalformedDerError';
  /** Where reading stopped: bytes from the start of the DER, or characters from the start of the PEM text. */
  readonly offset: number;

  constructor(offset: number, message: string, details?: ErrorDetails) {
    super('KNSOCK_MALFORMED_DER', `${message} (at offset ${offset.toLocaleString('en')})`, details);
    this.offset = offset;
  }
}

/** A key whose syntax is right and that is none: of an unknown algorithm or curve, not on its curve, out of range. */
export class UnusableKeyError extends MalformedDerError {
  static override readonly brand: string = 'UnusableKeyError';
}
