import type { X509Certificate } from '../x509/index.js';

/** The verified identity of a peer: the contents of its certificate, as plain values. */
export interface PeerIdentity {
  /** The certificate itself, parsed. */
  readonly certificate: X509Certificate;
  /** From the certificate to the trust anchor; on a resumed connection as verified when the session began. */
  readonly path: readonly X509Certificate[];
  /** The subject in the order of RFC 4514, such as `CN=app,O=Example`. */
  readonly subject: string;
  /** Of the peer's certificate, as text (RFC 4514). */
  readonly issuer: string;
  /** The subject's common names; most certificates have one. */
  readonly commonNames: readonly string[];
  /** Its OU values. */
  readonly organizationalUnits: readonly string[];
  /** DNS names in subjectAltName. */
  readonly dnsNames: readonly string[];
  /** Addresses in subjectAltName. */
  readonly ipAddresses: readonly string[];
  /** URIs in subjectAltName, such as SPIFFE IDs. */
  readonly uris: readonly string[];
  /** Mailboxes in subjectAltName. */
  readonly emailAddresses: readonly string[];
  /** Hex, lower case. */
  readonly serial: string;
  /** SHA-256 of the certificate, hex, lower case. */
  readonly fingerprint256: string;
  /** `sha256/` and the base64 of the SHA-256 of its public key. */
  readonly spkiPin: string;
  /** The first moment of its validity. */
  readonly notBefore: Date;
  /** The last moment of its validity. */
  readonly notAfter: Date;
}

/** An identity parses only the parts of its certificate that are read. */
export class CertificateIdentity implements PeerIdentity {
  readonly certificate: X509Certificate;
  readonly path: readonly X509Certificate[];

  constructor(path: readonly X509Certificate[]) {
    this.path = path;
    this.certificate = path[0] as X509Certificate;
  }

  get subject(): string {
    return this.certificate.subject.toString();
  }

  get issuer(): string {
    return this.certificate.issuer.toString();
  }

  get commonNames(): readonly string[] {
    return this.certificate.subject.commonNames;
  }

  get organizationalUnits(): readonly string[] {
    return this.certificate.subject.organizationalUnits;
  }

  get dnsNames(): readonly string[] {
    return this.certificate.dnsNames;
  }

  get ipAddresses(): readonly string[] {
    return this.certificate.ipAddresses;
  }

  get uris(): readonly string[] {
    return this.certificate.uris;
  }

  get emailAddresses(): readonly string[] {
    return this.certificate.emailAddresses;
  }

  get serial(): string {
    return this.certificate.serial;
  }

  get fingerprint256(): string {
    return this.certificate.fingerprint256;
  }

  get spkiPin(): string {
    return this.certificate.spkiPin;
  }

  get notBefore(): Date {
    return this.certificate.notBefore;
  }

  get notAfter(): Date {
    return this.certificate.notAfter;
  }
}
