/** Reading certificates, keys and lists, and whether they fit together. */
import type { KeyObject } from 'node:crypto';
import { CredentialsError, MalformedDerError } from '../errors/index.js';
import { fromKeyMaterial } from '../errors/from-node.js';
import { parseCertificates, type X509Certificate } from '../x509/certificate.js';
import { parseCrls, type CertificateRevocationList } from '../x509/crl.js';
import { certificateWeakness, isIssuedBy } from '../x509/issuance.js';
import { openPrivateKeyPem } from '../x509/keys/private-key-pem.js';
import { publicHalf } from '../x509/keys/open-key.js';
import type { Origins } from './origins.js';

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

/** A private key, opened. @throws CredentialsError 'passphrase' or 'garbage' */
export function readKey(
  material: string | Uint8Array,
  passphrase: string | undefined,
  file: string | undefined,
): KeyObject {
  try {
    return openPrivateKeyPem(material, passphrase);
  } catch (error) {
    if (error instanceof MalformedDerError) throw garbage('the private key', file, error);
    throw fromKeyMaterial(error as Error, `the private key${named(file)}`, file, passphrase !== undefined);
  }
}

/** Refuses a key of another certificate, a weak key or signature, and a chain in which one didn't issue the one before. */
export function checkPair(chain: readonly X509Certificate[], key: KeyObject, origins: Origins): void {
  const file = origins.cert ?? origins.pfx;
  const leaf = chain[0] as X509Certificate;
  if (!publicKeyOf(key).equals(leaf.publicKeyInfo.der)) throw mismatch(chain, key, origins);
  chain.forEach((certificate, depth) => {
    const weakness = certificateWeakness(certificate);
    if (weakness !== undefined) {
      throw new CredentialsError(
        'weak',
        `certificate ${depth} (${certificate.subject.toString()})${named(file)} ${weakness}`,
        { file },
      );
    }
    const issuer = chain[depth + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
      const [one, other] = [certificate.subject.toString(), issuer.subject.toString()];
      throw new CredentialsError(
        'chain',
        `certificate ${depth} (${one}) isn’t issued by the one behind it (${other})${named(file)}`,
        { file },
      );
    }
  });
}

function mismatch(chain: readonly X509Certificate[], key: KeyObject, origins: Origins): CredentialsError {
  const place = chain.findIndex((certificate) => publicKeyOf(key).equals(certificate.publicKeyInfo.der));
  const subject = (chain[0] as X509Certificate).subject.toString();
  const details = { file: origins.key ?? origins.pfx };
  if (place > 0) {
    const message = `the private key belongs to certificate ${place + 1} of the file; the leaf must come first`;
    return new CredentialsError('mismatch', message, details);
  }
  return new CredentialsError(
    'mismatch',
    `the private key${named(details.file)} doesn’t belong to the certificate of ${subject}`,
    details,
  );
}

function publicKeyOf(key: KeyObject): Buffer {
  return publicHalf(key).export({ type: 'spki', format: 'der' });
}

function garbage(what: string, file: string | undefined, cause: unknown): CredentialsError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CredentialsError('garbage', `${what}${named(file)} can’t be read: ${why}`, { file, cause });
}

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
