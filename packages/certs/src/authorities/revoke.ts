/** Finds the certificate meant by a text, a serial, a fingerprint, bytes or a file. */
import { isIssuedBy, parseCertificate, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import type { Ledger } from './ledger.js';
import { derOf } from '../files/pem.js';
import { normalizeSerial } from '../issuing/serial.js';
import { readSource, type Source } from '../files/source.js';
import { checkReason, type Revocation, type RevocationReason } from '../revocation/crl.js';

/**
 * The revocation of the certificate meant, as of now.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_ISSUED_HERE` if the authority didn't issue it, or it is its own; as
 *   `readSource`; InvalidOptionError for an unknown reason
 */
export async function resolveRevocation(
  named: Source,
  reason: RevocationReason,
  authority: string,
  ledger: Ledger,
): Promise<Revocation> {
  checkReason(reason);
  const own = parseCertificate(authority);
  const serial = await serialMeant(named, own, ledger);
  if (own.isSelfIssued && serial === normalizeSerial(own.serial)) throw refuseOwn();
  return { serial, at: new Date(), reason };
}

async function serialMeant(named: Source, own: X509Certificate, ledger: Ledger): Promise<string> {
  if (typeof named !== 'string' || named.includes('-----BEGIN '))
    return serialOf(await readSource(named), own);
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

function serialOf(bytes: Uint8Array, own: X509Certificate): string {
  const certificate = parse(derOf(bytes, 'certificate'));
  if (certificate.isSelfIssued && certificate.publicKeyInfo.der.equals(own.publicKeyInfo.der))
    throw refuseOwn();
  if (isIssuedBy(certificate, own)) return normalizeSerial(certificate.serial);
  throw refuse('that certificate was issued by another authority');
}

function parse(der: Buffer): X509Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate', { cause });
  }
}

/** Programs that find a root in its own list refuse all that it issued, or ignore the entry. */
function refuseOwn(): CertificateError {
  const hint =
    "Have the root removed from its peers' trust stores instead. An intermediate is revoked by its issuer (the command: --authority of that one).";
  const message = "that is the authority's own certificate, which its own list can't revoke";
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE', message, { hint });
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE', message);
}
