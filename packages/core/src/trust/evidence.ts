import type { CertificateEvidence } from '../errors/index.js';
import type { X509Certificate } from '../x509/index.js';

/** A certificate as the plain values that errors carry. */
export function evidenceOf(certificate: X509Certificate): CertificateEvidence {
  return {
    subject: certificate.subject.toString(),
    issuer: certificate.issuer.toString(),
    names: [
      ...certificate.dnsNames,
      ...certificate.ipAddresses,
      ...certificate.uris,
      ...certificate.emailAddresses,
    ],
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    serial: certificate.serial,
    fingerprint256: certificate.fingerprint256,
  };
}
