/** Why a certificate, or its peer, isn't trusted: one union in results, errors and on the wire. */
export type PeerReason =
  | 'no-certificate'
  | 'expired'
  | 'not-yet-valid'
  | 'unknown-issuer'
  | 'self-signed'
  | 'wrong-name'
  | 'wrong-usage'
  | 'name-constraint'
  | 'path-length'
  | 'weak'
  | 'revoked'
  | 'revocation-unknown'
  | 'crl-stale'
  | 'pin-mismatch'
  | 'not-allowed'
  | 'malformed';

const known: ReadonlySet<string> = new Set<PeerReason>([
  'no-certificate',
  'expired',
  'not-yet-valid',
  'unknown-issuer',
  'self-signed',
  'wrong-name',
  'wrong-usage',
  'name-constraint',
  'path-length',
  'weak',
  'revoked',
  'revocation-unknown',
  'crl-stale',
  'pin-mismatch',
  'not-allowed',
  'malformed',
]);

/** Whether a word that came over the wire is one of the reasons. */
export function isReason(word: string): word is PeerReason {
  return known.has(word);
}
