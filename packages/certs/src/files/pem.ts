/** PEM (RFC 7468), read and written by core; its errors are translated into this package's. */
import { objectsIn, splitPem, textOf, type ObjectKind, type PemBlock } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { fromCore } from './from-core.js';

export { toPem, type PemBlock } from '@knsock/core/x509';

/**
 * All blocks of a PEM text in their order, none of them decoded yet; text between them is skipped.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, for an incomplete block.
 */
export function readPem(text: string | Uint8Array): PemBlock[] {
  return fromCore(() => splitPem(text));
}

/** Whether an input is PEM text, in UTF-16 or with escaped line ends too. */
export function isPem(bytes: Uint8Array): boolean {
  return textOf(bytes)?.includes('-----BEGIN ') === true;
}

/**
 * The DER of every certificate of an input.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` where there is none.
 */
export function certificateDers(input: string | Uint8Array): Buffer[] {
  return fromCore(() => objectsIn(input, 'certificate').map(({ der }) => der));
}

/**
 * The DER of the first object of a kind in an input.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`.
 */
export function derOf(input: string | Uint8Array, kind: ObjectKind): Buffer {
  const [first] = fromCore(() => objectsIn(input, kind));
  if (first !== undefined) return first.der;
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', `there is no ${kind} in it`, { offset: 0 });
}
