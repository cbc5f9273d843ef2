import { readAlgorithm, type AlgorithmIdentifier } from './algorithm.js';
import { DerReader, Tag } from './der.js';

/** Something signed as X.509 signs: certificates and CRLs (RFC 5280 4.1.1 and 5.1.1). */
export interface Signed {
  /** The signed part. */
  readonly tbs: Buffer;
  /** The algorithm that stands beside the signature. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** The signature's bytes. */
  readonly signature: Buffer;
}

/** Reads the envelope of a certificate or CRL, the whole of `der`; `body` reads what is inside the signed part. */
export function readSigned(der: Buffer, what: string): Signed & { body: DerReader } {
  const reader = new DerReader(der);
  const outer = reader.enter(Tag.sequence, what);
  reader.finish(what);
  const start = outer.position;
  const body = outer.enter(Tag.sequence, `${what} body`);
  const tbs = der.subarray(start, outer.position);
  const signatureAlgorithm = readAlgorithm(outer, 'signature algorithm');
  const signature = outer.octetsAsBits('signature');
  outer.finish(what);
  return { body, tbs, signatureAlgorithm, signature };
}

/** The parts of a certificate, list or request, which must be the whole of `der`. @throws MalformedDerError */
export function signedParts(der: Buffer, what: string): Signed {
  const { tbs, signatureAlgorithm, signature } = readSigned(der, what);
  return { tbs, signatureAlgorithm, signature };
}

/** Reads the signature algorithm inside, which must be the one outside (RFC 5280 4.1.1.2). */
export function requireSameAlgorithm(body: DerReader, outer: AlgorithmIdentifier): void {
  const inner = readAlgorithm(body, 'signature algorithm');
  if (!inner.der.equals(outer.der)) body.fail('the signature algorithm inside differs from the one outside');
}
