/** The content of a certificate as plain values, for errors, logs and events. */
export interface CertificateEvidence {
  /** In the order of RFC 4514, such as `CN=app,O=Example`. */
  readonly subject: string;
  /** As text (RFC 4514). */
  readonly issuer: string;
  /** DNS names, addresses, URIs and e-mail addresses of its subjectAltName. */
  readonly names: readonly string[];
  /** The first moment of its validity. */
  readonly notBefore: Date;
  /** The last moment of its validity. */
  readonly notAfter: Date;
  /** Hex, lower case. */
  readonly serial: string;
  /** SHA-256 of the certificate, hex, lower case. */
  readonly fingerprint256: string;
}

/** What this side brought to a handshake that failed. */
export interface HandshakeOffer {
  /** Such as `TLSv1.2 to TLSv1.3`. */
  readonly versions: string;
  /** OpenSSL's list. */
  readonly ciphers: string;
  /** The groups for the key exchange, as OpenSSL names them. */
  readonly groups: string;
  /** The signature algorithms, as OpenSSL names them. */
  readonly signatureAlgorithms: string;
}
