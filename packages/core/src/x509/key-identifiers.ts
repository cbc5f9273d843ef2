import { contextTag, Tag, type DerReader } from './der.js';
import { readGeneralNames, type GeneralName } from './general-names.js';

/** Which key of the issuer signed (RFC 5280 4.2.1.1). */
export interface AuthorityKeyIdentifier {
  /** The subject key identifier of the issuer's certificate. */
  readonly keyIdentifier: Buffer | undefined;
  /** The issuer of the issuer's certificate. */
  readonly issuer: readonly GeneralName[] | undefined;
  /** The serial of the issuer's certificate. */
  readonly serial: Buffer | undefined;
}

export function readAuthorityKeyIdentifier(reader: DerReader): AuthorityKeyIdentifier {
  const what = 'authority key identifier';
  const sequence = reader.enter(Tag.sequence, what);
  const [keyTag, issuerTag, serialTag] = [
    contextTag(0, 'primitive'),
    contextTag(1, 'constructed'),
    contextTag(2, 'primitive'),
  ];
  const keyIdentifier = sequence.has(keyTag) ? sequence.content(keyTag, what) : undefined;
  const issuer = sequence.has(issuerTag) ? readGeneralNames(sequence, what, issuerTag) : undefined;
  const serial = sequence.has(serialTag) ? sequence.content(serialTag, what) : undefined;
  sequence.finish(what);
  return { keyIdentifier, issuer, serial };
}

/** Reads the subject key identifier (RFC 5280 4.2.1.2). */
export function readSubjectKeyIdentifier(reader: DerReader): Buffer {
  return reader.content(Tag.octetString, 'subject key identifier');
}
