import { MalformedDerError } from '../../errors/malformed-der.js';
import { contextTag, DerReader, Tag } from '../der.js';
import { definiteLengths } from './ber.js';

const SIGNED_DATA = '1.2.840.113549.1.7.2';

/** What PKCS#7 carries along. */
export interface Carried {
  readonly kind: 'certificate' | 'revocation list';
  readonly der: Buffer;
}

/**
 * The certificates and lists of PKCS#7 SignedData (RFC 2315 9.1, RFC 5652 5.1), as Windows' `.p7b` files have them;
 * nothing of the signatures is looked at. Undefined for what isn't PKCS#7.
 */
export function readPkcs7(bytes: Buffer): Carried[] | undefined {
  for (const form of [bytes, definiteLengths(bytes)]) {
    if (form === undefined) continue;
    try {
      return readSignedData(new DerReader(form));
    } catch (error) {
      if (!(error instanceof MalformedDerError)) throw error;
    }
  }
  return undefined;
}

function readSignedData(reader: DerReader): Carried[] {
  const contentInfo = reader.enter(Tag.sequence, 'PKCS#7');
  if (contentInfo.oid('kind of content') !== SIGNED_DATA) contentInfo.fail("it isn't signed data");
  const explicit = contentInfo.enter(contextTag(0, 'constructed'), 'PKCS#7');
  const signed = explicit.enter(Tag.sequence, 'PKCS#7');
  signed.smallInteger(5, 'version');
  signed.element('digest algorithms');
  signed.element('content');
  const carried: Carried[] = [];
  for (const [tag, kind] of [
    [contextTag(0, 'constructed'), 'certificate'],
    [contextTag(1, 'constructed'), 'revocation list'],
  ] as const) {
    if (!signed.has(tag)) continue;
    const set = signed.enter(tag, kind);
    // Attribute certificates and other formats have context tags.
    while (!set.isDone) {
      const isOurs = set.has(Tag.sequence);
      const der = set.element(kind);
      if (isOurs) carried.push({ kind, der });
    }
  }
  return carried;
}
