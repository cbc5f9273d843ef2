import type { ErrorCode } from './codes.js';
import type { PeerReason } from './reason.js';
import { EasySocketError, type ErrorDetails } from './base.js';
import type { CertificateEvidence, HandshakeOffer } from './evidence.js';

/** The peer, our credentials or the handshake between them can't be trusted (kn-sock's `ssl.SSLError`). */
export class SecurityError extends EasySocketError {
  static override readonly brand: string = 'SecurityError';
}

/** What made the two sides' TLS settings or bytes incompatible. */
export type HandshakeReason =
  | 'protocol-version'
  | 'cipher'
  | 'group'
  | 'signature-algorithm'
  | 'alpn'
  | 'unknown-name'
  | 'client-hello'
  | 'not-tls'
  | 'plain-http'
  | 'renegotiation'
  | 'bad-record'
  | 'certificate-rejected'
  | 'certificate-required'
  | 'disconnected'
  | 'other';

/** The TLS handshake failed before anybody's identity was in question, or the peer broke it off with an alert. */
export class HandshakeError extends SecurityError {
  static override readonly brand: string = 'HandshakeError';
  /** What it failed by. */
  readonly reason: HandshakeReason;
  /** What this side offered; OpenSSL doesn't report what the peer offered. Undefined if it isn't known. */
  readonly offer: HandshakeOffer | undefined;

  constructor(
    reason: HandshakeReason,
    message: string,
    details?: ErrorDetails & { offer?: HandshakeOffer | undefined },
  ) {
    super(`KNSOCK_HANDSHAKE_${upper(reason)}` as ErrorCode, message, details);
    this.reason = reason;
    this.offer = details?.offer;
  }
}

/** The peer's certificate was verified and isn't trusted (kn-sock's `ssl.SSLCertVerificationError`). */
export class UntrustedPeerError extends SecurityError {
  static override readonly brand: string = 'UntrustedPeerError';
  /** Why, as a stable word. */
  readonly reason: PeerReason;
  /** The place of the certificate at fault on the path: 1 is the peer's own, 2 its issuer, and so on. */
  readonly position: number;
  /** The certificate at fault; undefined where none was shown or it couldn't be read. */
  readonly certificate: CertificateEvidence | undefined;

  constructor(
    reason: PeerReason,
    position: number,
    message: string,
    details?: ErrorDetails & { certificate?: CertificateEvidence | undefined },
  ) {
    super(`KNSOCK_PEER_${upper(reason)}` as ErrorCode, message, details);
    this.reason = reason;
    this.position = position;
    this.certificate = details?.certificate;
  }
}

/** The peer's identity is proved, but a rule (`authorize`) doesn't admit it. */
export class PeerNotAllowedError extends SecurityError {
  static override readonly brand: string = 'PeerNotAllowedError';
  /** Always `not-allowed`. */
  readonly reason: PeerReason = 'not-allowed';
  /** The peer's certificate; undefined where it showed none. */
  readonly certificate: CertificateEvidence | undefined;

  constructor(message: string, details?: ErrorDetails & { certificate?: CertificateEvidence | undefined }) {
    super('KNSOCK_PEER_NOT_ALLOWED', message, details);
    this.certificate = details?.certificate;
  }
}

/** The fix of a refusal, by the peer's reason. */
const refusalHints: Partial<Record<PeerReason | 'unknown', string>> = {
  'no-certificate': 'Did you forget certFile and keyFile? This server asks clients for a certificate.',
  expired: 'Renew the client certificate, or set the clock of the machine that refused it right.',
  'unknown-issuer':
    'Does the server trust the CA that issued this certificate, and does certFile hold its intermediates?',
  'wrong-usage': "Issue a certificate of kind client; a server's certificate doesn't do.",
  revoked: 'The CA has withdrawn this certificate; get a new one issued.',
  'crl-stale': "The server's revocation list is out of date; its operator must fetch a fresh one.",
  'not-allowed':
    'The certificate is valid, but no rule of the server (authorize) admits it; ask its operator.',
};

/** The server said that it refuses our certificate, or the lack of one. */
export class ClientCertificateRefusedError extends SecurityError {
  static override readonly brand: string = 'ClientCertificateRefusedError';
  /** Why, as far as the server says. */
  readonly reason: PeerReason | 'unknown';

  constructor(reason: PeerReason | 'unknown', message: string, details?: ErrorDetails) {
    const hint = details?.hint ?? refusalHints[reason];
    super('KNSOCK_CLIENT_CERTIFICATE_REFUSED', message, { ...details, ...(hint !== undefined && { hint }) });
    this.reason = reason;
  }
}

/** What is wrong with a set of credentials. */
export type CredentialsReason =
  | 'missing-file'
  | 'unreadable'
  | 'malformed'
  | 'incomplete'
  | 'key-mismatch'
  | 'passphrase'
  | 'weak'
  | 'wrong-usage'
  | 'expired'
  | 'not-yet-valid'
  | 'crl-stale'
  | 'unsupported';

/** Our own certificate, key, CA or CRL can't be used; `file` names the culprit where there is one. */
export class CredentialsError extends SecurityError {
  static override readonly brand: string = 'CredentialsError';
  /** What is wrong with them. */
  readonly reason: CredentialsReason;
  /** The file that it is about. */
  readonly file: string | undefined;

  constructor(
    reason: CredentialsReason,
    message: string,
    details?: ErrorDetails & { file?: string | undefined },
  ) {
    super(`KNSOCK_CREDENTIALS_${upper(reason)}` as ErrorCode, message, details);
    this.reason = reason;
    this.file = details?.file;
  }
}

function upper(reason: string): string {
  return reason.toUpperCase().replaceAll('-', '_');
}
