/** An authority's certificate and key, parsed and checked for signing. */
import type { KeyObject } from 'node:crypto';
import { parseCertificate as readCertificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { keyIdentifier } from './extensions.js';
import { publicKeyDer } from '../keys/keys.js';
import type { SigningKey } from '../keys/signer.js';
import type { NameConstraints, Subtree } from './name-constraints.js';
import { certificateDers, toPem } from '../files/pem.js';
import type { DistinguishedName, GeneralName, X509Library } from '../x509.js';

/** What an authority signs with, and its limits. */
export interface SigningAuthority {
  /** PEM. */
  readonly certificate: string;
  /** PEM: its certificate, then those above it, the root last. */
  readonly chain: string;
  /** PEM of the last certificate of the chain, the peers' trust anchor. */
  readonly root: string;
  readonly key: SigningKey;
  readonly subject: DistinguishedName;
  readonly keyIdentifier: Buffer;
  readonly notAfter: Date;
  /** How many authorities may follow between this one and a leaf; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Its own constraints and those of every authority above it: all must allow a name. */
  readonly constraints: readonly NameConstraints[];
}

type Certificate = InstanceType<X509Library['Certificate']>;

/**
 * Reads a chain, the authority first, and its key.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, `_NOT_AN_AUTHORITY` or `_KEY_MISMATCH`.
 */
export function readSigningAuthority(
  library: X509Library,
  chainPem: string,
  key: SigningKey,
): SigningAuthority {
  const ders = certificateDers(chainPem);
  const certificates = ders.map((der) => parseCertificate(library, der));
  const [first, last] = [ders[0], ders.at(-1)];
  const own = certificates[0];
  if (first === undefined || last === undefined || own === undefined) throw malformed();
  checkAuthority(library, own);
  checkKey(first, key.publicKey);
  return {
    certificate: toPem('CERTIFICATE', first),
    chain: ders.map((der) => toPem('CERTIFICATE', der)).join(''),
    root: toPem('CERTIFICATE', last),
    key,
    subject: own.tbsCertificate.subject,
    keyIdentifier: ownKeyIdentifier(library, own, key.publicKey),
    notAfter: own.tbsCertificate.validity.notAfter.getTime(),
    pathLength: basicConstraintsOf(library, own)?.pathLenConstraint,
    constraints: certificates.flatMap((certificate) => constraintsOf(library, certificate) ?? []),
  };
}

function parseCertificate(library: X509Library, der: Buffer): Certificate {
  try {
    return library.AsnConvert.parse(der, library.Certificate);
  } catch (cause) {
    throw malformed(cause);
  }
}

function checkAuthority(library: X509Library, certificate: Certificate): void {
  if (basicConstraintsOf(library, certificate)?.cA === true) return;
  throw new CertificateError('KNSOCK_CERTIFICATE_NOT_AN_AUTHORITY', "that certificate is not an authority's");
}

function checkKey(der: Buffer, key: KeyObject): void {
  if (publicKeyDer(readOwn(der)).equals(publicKeyDer(key))) return;
  throw new CertificateError(
    'KNSOCK_CERTIFICATE_KEY_MISMATCH',
    "the key is not the one of the authority's certificate",
  );
}

function readOwn(der: Buffer): KeyObject {
  try {
    return readCertificate(der).publicKey;
  } catch (cause) {
    throw malformed(cause);
  }
}

function ownKeyIdentifier(library: X509Library, certificate: Certificate, publicKey: KeyObject): Buffer {
  const written = extensionOf(
    library,
    certificate,
    library.id_ce_subjectKeyIdentifier,
    library.SubjectKeyIdentifier,
  );
  return written === undefined ? keyIdentifier(library, publicKey) : Buffer.from(written.buffer);
}

function basicConstraintsOf(library: X509Library, certificate: Certificate) {
  return extensionOf(library, certificate, library.id_ce_basicConstraints, library.BasicConstraints);
}

function constraintsOf(library: X509Library, certificate: Certificate): NameConstraints | undefined {
  const found = extensionOf(library, certificate, library.id_ce_nameConstraints, library.NameConstraints);
  if (found === undefined) return undefined;
  const read = (subtrees: readonly { base: GeneralName }[] | undefined) =>
    (subtrees ?? []).flatMap(({ base }) => subtreeOf(base) ?? []);
  return { permitted: read(found.permittedSubtrees), excluded: read(found.excludedSubtrees) };
}

function subtreeOf(name: GeneralName): Subtree | undefined {
  if (name.dNSName !== undefined) return { kind: 'dns', base: name.dNSName.replace(/^\./, '').toLowerCase() };
  if (name.iPAddress !== undefined) return { kind: 'ip', base: name.iPAddress };
  if (name.rfc822Name !== undefined) return { kind: 'email', base: lowerHost(name.rfc822Name) };
  if (name.uniformResourceIdentifier !== undefined)
    return { kind: 'uri', base: name.uniformResourceIdentifier.toLowerCase() };
  return undefined;
}

/** Hosts are case-insensitive, mailboxes before the @ aren't. */
function lowerHost(mailbox: string): string {
  const at = mailbox.lastIndexOf('@') + 1;
  return mailbox.slice(0, at) + mailbox.slice(at).toLowerCase();
}

function extensionOf<T>(
  library: X509Library,
  certificate: Certificate,
  oid: string,
  type: new () => T,
): T | undefined {
  const found = certificate.tbsCertificate.extensions?.find(({ extnID }) => extnID === oid);
  if (found === undefined) return undefined;
  try {
    return library.AsnConvert.parse(found.extnValue.buffer, type);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate', { cause });
}
