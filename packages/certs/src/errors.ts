import { EasySocketError, type ErrorDetails } from '@knsock/core/errors';

const hints = {
  KNSOCK_CERTIFICATE_NAME:
    'Names are a DNS name, an IP address, a URI with "://", or an e-mail address with "@".',
  KNSOCK_CERTIFICATE_SUBJECT:
    'Subject fields are short text: 64 characters for names, 2 letters for country.',
  KNSOCK_CERTIFICATE_VALIDITY:
    'Choose a whole number of days from 1 to maxDays; raise maxDays where a longer life is really meant.',
  KNSOCK_CERTIFICATE_NAME_CONSTRAINT:
    'This authority may not sign for that name; use another authority or widen its constraints.',
  KNSOCK_CERTIFICATE_PATH_LENGTH:
    'Create the authority with a greater pathLength to let it sign further authorities.',
  KNSOCK_CERTIFICATE_NOT_AN_AUTHORITY: 'Did you pass a server or client certificate where the CA’s belongs?',
  KNSOCK_CERTIFICATE_KEY: 'Use P-256, P-384, Ed25519, or RSA of 2,048 to 4,096 bits.',
  KNSOCK_CERTIFICATE_KEY_MISMATCH: 'Use the key that the certificate was made for.',
  KNSOCK_CERTIFICATE_PASSPHRASE: 'Is the passphrase right, and given at all?',
  KNSOCK_CERTIFICATE_MALFORMED: 'Is that the right file? Expected PEM text ("-----BEGIN …") or DER bytes.',
  KNSOCK_CERTIFICATE_UNSUPPORTED: 'Convert it with openssl first, or make it anew with modern algorithms.',
  KNSOCK_CERTIFICATE_REQUEST_SIGNATURE: 'The request was changed after it was signed; ask for a new one.',
  KNSOCK_CERTIFICATE_POLICY:
    'Allow the name in the policy (the command: --allow NAME), or ask for a request without it.',
  KNSOCK_CERTIFICATE_NOT_ISSUED_HERE:
    'Is this the authority that issued it? Pass the certificate itself where only its serial is unknown.',
  KNSOCK_CERTIFICATE_CHAIN: 'Add the missing issuer: each certificate must be issued by the next.',
  KNSOCK_CERTIFICATE_EXISTS: 'Choose another name, or say overwrite: true where it is meant to be replaced.',
  KNSOCK_CERTIFICATE_NOT_FOUND: 'Is the path right, seen from the folder where the program runs?',
  KNSOCK_CERTIFICATE_FILE: 'Does the user that runs the program have permission to read and write there?',
  KNSOCK_CERTIFICATE_KEY_ABSENT:
    'Its key was never written, or is kept elsewhere; sign with an intermediate.',
  KNSOCK_CERTIFICATE_LOCKED: 'Another process is writing to the store; try again when it has finished.',
  KNSOCK_CERTIFICATE_STORE: 'Restore the file from a backup, or start a new store.',
  KNSOCK_CERTIFICATE_UNREACHABLE: 'Is the server running there, and does it speak TLS on that port?',
  KNSOCK_CERTIFICATE_HOOK: 'The certificate itself was renewed; mend the hook and run it again.',
} as const satisfies Record<`KNSOCK_CERTIFICATE_${string}`, string>;

/** A stable name of a failure in making, keeping or reading certificates. */
export type CertificateErrorCode = keyof typeof hints;

const passing: ReadonlySet<CertificateErrorCode> = new Set<CertificateErrorCode>([
  'KNSOCK_CERTIFICATE_LOCKED',
  'KNSOCK_CERTIFICATE_UNREACHABLE',
]);

/** What a certificate error carries beside its message. */
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
    super(code, message, { hint: hints[code], retryable: passing.has(code), ...details });
    this.file = details.file;
    this.offset = details.offset;
  }
}
