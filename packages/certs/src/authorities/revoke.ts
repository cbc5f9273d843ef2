/** Finds the certificate meant by a text, a serial, a fingerprint, bytes or a file. */
import { isIssuedBy, parseCertificate, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import type { Ledger } from './ledger.js';
import { derOf } from '../files/pem.js';
import { normalizeSerial } from '../issuing/serial.js';
import { readSource, type Source } from '../files/source.js';

/**
 * The serial of the certificate meant.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_ISSUED_HERE` if the authority didn't issue it; as `readSource`.
 */
export async function resolveRevocation(named: Source, authority: string, ledger: Ledger): Promise<string> {
  if (typeof named !== 'string' || named.includes('-----BEGIN '))
    return serialOf(await readSource(named), authority);
  const digits = named.trim().replace(/^0x/i, '').replaceAll(':', '');
  if (!/^[0-9a-f]{1,40}$|^[0-9a-f]{64}$/i.test(digits))
    throw refuse('that is no serial, fingerprint or PEM certificate');
  const isFingerprint = digits.length === 64;
  const found = await ledger.find(
    isFingerprint ? { fingerprint: digits.toLowerCase() } : { serial: normalizeSerial(digits) },
  );
  if (found !== undefined) return found.serial;
  const what = isFingerprint ? 'fingerprint' : 'serial';
  throw refuse(`the authority knows no certificate with ${what} ${named}`);
}

function serialOf(bytes: Uint8Array, authority: string): string {
  const certificate = parse(derOf(bytes, 'certificate'));
  if (isIssuedBy(certificate, parseCertificate(authority))) return normalizeSerial(certificate.serial);
  throw refuse('that certificate was issued by another authority');
}

function parse(der: Buffer): X509Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate', { cause });
  }
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE', message);
}
