import type { ErrorDetails } from './base.js';
import { SecurityError } from './security.js';

interface MalformedDetails extends ErrorDetails {
  readonly whole?: boolean;
}

/** Bytes that should be a certificate or a CRL aren't valid DER (or PEM), or break X.509's syntax. */
export class MalformedDerError extends SecurityError {
  static override readonly brand: string = 'MalformedDerError';
  /** Where reading stopped: bytes from the start of the DER, or characters from the start of the PEM text. */
  readonly offset: number;

  /** @param details `whole`: the trouble is with all of the input, so that the message needs no offset */
  constructor(offset: number, message: string, { whole = false, ...details }: MalformedDetails = {}) {
    const where = whole ? '' : ` (at offset ${offset.toLocaleString('en')})`;
    super('KNSOCK_MALFORMED_DER', `${message}${where}`, details);
    this.offset = offset;
  }

  /** The same, saying where among several it is: `certificate 3 of 5: …`. */
  within(place: string): MalformedDerError {
    return new MalformedDerError(this.offset, `${place}: ${this.message}`, {
      cause: this.cause,
      hint: this.hint,
      whole: true,
    });
  }
}

/** A key whose syntax is right and that is none: of an unknown algorithm or curve, not on its curve, out of range. */
export class UnusableKeyError extends MalformedDerError {
  static override readonly brand: string = 'UnusableKeyError';
}
