/** What a certificate says of itself, as plain values for errors, logs and events. */
export interface CertificateEvidence {
  /** In the order of RFC 4514, such as `CN=app,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** DNS names, addresses, URIs and e-mail addresses of its subjectAltName. */
  readonly names: readonly string[];
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Hex, lower case. */
  readonly serialNumber: string;
  /** SHA-256 of the certificate, hex, lower case. */
  readonly fingerprint256: string;
}

/** What this side brought to a handshake that failed. */
export interface HandshakeOffer {
  /** Such as `TLSv1.2 to TLSv1.3`. */
  readonly versions: string;
  /** OpenSSL's list. */
  readonly ciphers: string;
  readonly groups: string;
  readonly signatureAlgorithms: string;
}
