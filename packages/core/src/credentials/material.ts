/** Reading certificates and lists. */
import { CredentialsError, MalformedDerError } from '../errors/index.js';
import { parseCertificates, type X509Certificate } from '../x509/certificate.js';
import { parseCrls, type CertificateRevocationList } from '../x509/crl.js';

/** Every certificate of a bundle. @throws CredentialsError 'garbage' */
export function readCertificates(
  material: string | Uint8Array,
  what: string,
  file: string | undefined,
): X509Certificate[] {
  try {
    return parseCertificates(material);
  } catch (error) {
    throw garbage(`the ${what}`, file, error);
  }
}

/** Every list of a bundle. @throws CredentialsError 'garbage' */
export function readCrls(
  material: string | Uint8Array,
  file: string | undefined,
): CertificateRevocationList[] {
  try {
    return parseCrls(material);
  } catch (error) {
    throw garbage('the CRL', file, error);
  }
}

function garbage(what: string, file: string | undefined, cause: unknown): CredentialsError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const hint = cause instanceof MalformedDerError ? cause.hint : undefined;
  return new CredentialsError('garbage', `${what}${named(file)} can't be read: ${why}`, {
    file,
    cause,
    ...(hint !== undefined && { hint }),
  });
}

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
