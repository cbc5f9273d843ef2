/** Imports an authority's last revocation list, for continuing the authority elsewhere. */
import { parseCertificate, verifyCrlSignature } from '@knsock/core/x509';
import { reasonFromList, type Revocation } from './crl.js';
import { CertificateError } from '../errors.js';
import { readCrls, type Source } from '../files/source.js';

/** The last list number, and the certificates that stay revoked. */
export interface LastList {
  readonly number: number;
  readonly revoked: readonly Revocation[];
}

/**
 * Reads the list of the authority `certificate` (PEM).
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_ISSUED_HERE` for a list of another authority; as `readCrls`.
 */
export async function readLastList(list: Source, certificate: string): Promise<LastList> {
  const issuer = parseCertificate(certificate);
  const own = (await readCrls(list)).find((crl) => verifyCrlSignature(crl, issuer));
  if (own === undefined) {
    const message = `that revocation list isn't signed by ${issuer.subject.toString()}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE', message);
  }
  const revoked = [...own.entries].map(({ serial, date, reason }) => ({
    serial,
    at: date,
    reason: reasonFromList(reason),
  }));
  return { number: Number.parseInt(own.number ?? '0', 16), revoked };
}
