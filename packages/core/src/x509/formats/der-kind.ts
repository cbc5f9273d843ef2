import { MalformedDerError } from '../../errors/malformed-der.js';
import { contextTag, DerReader, Tag } from '../der.js';

/** What DER looks like from its first elements; nothing is checked further. */
export type DerKind =
  | 'certificate'
  | 'request'
  | 'revocation list'
  | 'encrypted private key'
  | 'private key'
  | 'PKCS#1 key'
  | 'SEC1 key'
  | 'public key'
  | 'PKCS#7'
  | 'PKCS#12'
  | 'OCSP response';

/** Undefined for what is none of these. */
export function kindOfDer(der: Uint8Array): DerKind | undefined {
  // NSS writes PKCS#12 with a length that isn't known at the start.
  if (der[0] === Tag.sequence && der[1] === 0x80 && der[2] === 0x02) return 'PKCS#12';
  if (der[0] === Tag.sequence && der[1] === 0x80 && der[2] === 0x06) return 'PKCS#7';
  try {
    return kindOf(new DerReader(Buffer.from(der)).enter(Tag.sequence, 'file'));
  } catch (error) {
    if (error instanceof MalformedDerError) return undefined;
    throw error;
  }
}

function kindOf(outer: DerReader): DerKind | undefined {
  switch (outer.nextTag) {
    case Tag.integer:
      return kindByVersion(outer);
    case Tag.oid:
      return 'PKCS#7';
    case 0x0a:
      return 'OCSP response';
    case Tag.sequence:
      return kindByFirst(outer);
    default:
      return undefined;
  }
}

/** Keys and PKCS#12 begin with a version. */
function kindByVersion(outer: DerReader): DerKind | undefined {
  const version = outer.integer('version');
  if (version.length !== 1) return 'PKCS#1 key';
  if (outer.nextTag === Tag.integer) return 'PKCS#1 key';
  if (outer.nextTag === Tag.octetString) return 'SEC1 key';
  if (version[0] === 3) return 'PKCS#12';
  return outer.nextTag === Tag.sequence ? 'private key' : undefined;
}

/** What is signed begins with a sequence of its own, and ends with a signature. */
function kindByFirst(outer: DerReader): DerKind | undefined {
  const inner = outer.enter(Tag.sequence, 'first part');
  if (inner.has(Tag.oid)) {
    if (outer.has(Tag.octetString)) return 'encrypted private key';
    return outer.has(Tag.bitString) ? 'public key' : undefined;
  }
  if (inner.has(contextTag(0, 'constructed'))) return 'certificate';
  if (inner.has(Tag.sequence)) return 'revocation list';
  if (!inner.has(Tag.integer)) return undefined;
  inner.element('version or serial number');
  const names = inner.element('name or algorithm');
  // A request names its subject next and then its key; a list and an old certificate name an algorithm.
  if (names[0] !== Tag.sequence) return undefined;
  const isAlgorithm = new DerReader(names).enter(Tag.sequence, 'algorithm').has(Tag.oid);
  if (!isAlgorithm) return 'request';
  inner.element('issuer');
  if (!inner.has(Tag.sequence)) return 'revocation list';
  return 'certificate';
}
