/** OpenSSL's verification errors in our terms. */
import type { PeerReason } from './reason.js';

const reasons: Readonly<Record<string, PeerReason>> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not-yet-valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown-issuer',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown-issuer',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown-issuer',
  CERT_UNTRUSTED: 'unknown-issuer',
  CERT_REVOKED: 'revoked',
  UNABLE_TO_GET_CRL: 'revocation-unknown',
  CRL_HAS_EXPIRED: 'crl-stale',
  CERT_CHAIN_TOO_LONG: 'path-length',
  PATH_LENGTH_EXCEEDED: 'path-length',
  INVALID_CA: 'wrong-usage',
  INVALID_PURPOSE: 'wrong-usage',
  CERT_REJECTED: 'wrong-usage',
  HOSTNAME_MISMATCH: 'wrong-name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong-name',
};

/** Whether a code is an OpenSSL verification error, as Node reports it. */
export function isOpensslVerdict(code: string): boolean {
  return Object.hasOwn(reasons, code) || /^CERT_|^CRL_|^UNABLE_TO_/.test(code);
}

export function reasonOfOpenssl(code: string): { reason: PeerReason; message: string } {
  const reason = reasons[code] ?? (/WEAK|TOO_SMALL|MD_/.test(code) ? 'weak' : 'malformed');
  return { reason, message: `OpenSSL doesn't trust the peer's certificate: ${code}` };
}
