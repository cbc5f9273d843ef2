/** Which certificate is meant by a PEM text, a serial or a fingerprint. */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { CertificateError } from './errors.js';
import type { Ledger } from './ledger.js';
import { normalizeSerial } from './serial.js';

/**
 * The serial of the certificate meant.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_ISSUED_HERE` where the authority didn't issue it.
 */
export async function resolveRevocation(text: string, authority: string, ledger: Ledger): Promise<string> {
  if (text.includes('-----BEGIN ')) return serialOfPem(text, authority);
  const digits = text.replace(/^0x/i, '').replaceAll(':', '').trim();
  if (!/^[0-9a-f]{1,40}$|^[0-9a-f]{64}$/i.test(digits))
    throw refuse('that is no serial, fingerprint or PEM certificate');
  const fingerprint = digits.toLowerCase();
  const found = await ledger.find(
    digits.length === 64 ? { fingerprint } : { serial: normalizeSerial(digits) },
  );
  if (found === undefined)
    throw refuse(
      `the authority knows no certificate with ${digits.length === 64 ? 'fingerprint' : 'serial'} ${text}`,
    );
  return found.serial;
}

function serialOfPem(pem: string, authority: string): string {
  const certificate = parse(pem);
  const issuer = new X509Certificate(authority);
  if (certificate.checkIssued(issuer) && certificate.verify(createPublicKey(authority))) {
    return normalizeSerial(certificate.serialNumber);
  }
  throw refuse('that certificate was issued by another authority');
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate', { cause });
  }
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE', message);
}
