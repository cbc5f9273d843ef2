import { MalformedDerError } from '../../errors/malformed-der.js';
import { CredentialsError } from '../../errors/security.js';
import { DerReader } from '../der.js';

const CONVERT =
  'Convert it: openssl pkcs12 -legacy -in OLD.p12 -nodes -out all.pem, then openssl pkcs12 -export -in all.pem -out NEW.p12.';

/** The bytes are no PKCS#12 file, or break its syntax; `problem` completes "the PKCS#12 file …". */
export function garbage(problem: string, cause?: unknown): CredentialsError {
  return new CredentialsError('garbage', `the PKCS#12 file ${problem}`, { cause });
}

/** The file asks for what isn't offered here; the hint says how to convert it. */
export function unsupported(
  problem: string,
  details: { cause?: unknown; hint?: string } = {},
): CredentialsError {
  return new CredentialsError('unsupported', `the PKCS#12 file ${problem}`, { hint: CONVERT, ...details });
}

/** The passphrase, or the lack of one, doesn't open the file. */
export function wrongPassphrase(message: string): CredentialsError {
  return new CredentialsError('passphrase', message);
}

export const writtenAsBer = (cause?: unknown): CredentialsError =>
  unsupported('is written in BER with indefinite lengths or strings in pieces; only DER is read', { cause });

/**
 * Reads a part of the file to its last byte.
 * @throws CredentialsError 'garbage' in place of MalformedDerError, or 'unsupported' where BER is what DER forbids
 */
export function decode<T>(bytes: Buffer, what: string, read: (reader: DerReader) => T): T {
  try {
    const reader = new DerReader(bytes);
    const value = read(reader);
    reader.finish(what);
    return value;
  } catch (error) {
    if (!(error instanceof MalformedDerError)) throw error;
    if (isBer(bytes, error.offset)) throw writtenAsBer(error);
    throw garbage(`can’t be read: in its ${what}, ${error.message}`, error);
  }
}

/** A constructed element of indefinite length, or a constructed OCTET STRING (X.690 8.1.3.6, 8.7.3). */
function isBer(bytes: Buffer, offset: number): boolean {
  const isConstructed = ((bytes[offset - 1] ?? 0) & 0x20) !== 0;
  return (bytes[offset] === 0x80 && isConstructed) || bytes[offset] === 0x24;
}
