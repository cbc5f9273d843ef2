/** The extensions of a certificate (RFC 5280 §4.2), one builder each. */
import { createHash, type KeyObject } from 'node:crypto';
import { InvalidOptionError } from '@knsock/core/errors';
import type { NameConstraints, Subtree } from './name-constraints.js';
import { parseName, type CertificateName } from './names.js';
import { publicKeyInfo } from '../keys/public-key-info.js';
import { arrayBufferOf, type Extension, type GeneralName, type X509Library } from '../x509.js';

/** The use of a certificate: a peer is both server and client. */
export type CertificateKind = 'server' | 'client' | 'peer';

const extendedUsages: Record<CertificateKind, readonly string[]> = {
  server: ['1.3.6.1.5.5.7.3.1'],
  client: ['1.3.6.1.5.5.7.3.2'],
  peer: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
};

/** @throws InvalidOptionError for an unknown kind. */
export function checkKind(kind: CertificateKind): void {
  if (Object.hasOwn(extendedUsages, kind)) return;
  const known = Object.keys(extendedUsages).join(', ');
  throw new InvalidOptionError('kind', `"${kind}" is no kind of certificate; these are: ${known}`);
}

export function extendedKeyUsage(library: X509Library, kind: CertificateKind): Extension {
  return extension(
    library,
    library.id_ce_extKeyUsage,
    false,
    new library.ExtendedKeyUsage([...extendedUsages[kind]]),
  );
}

/** RSA keys of servers get keyEncipherment too: NSS refuses them otherwise, whatever the key exchange. */
export function leafKeyUsage(library: X509Library, kind: CertificateKind, key: KeyObject): Extension {
  const { KeyUsage, KeyUsageFlags } = library;
  const { digitalSignature, keyEncipherment } = KeyUsageFlags;
  const enciphers = kind !== 'client' && key.asymmetricKeyType === 'rsa';
  const usage = new KeyUsage(enciphers ? digitalSignature | keyEncipherment : digitalSignature);
  return extension(library, library.id_ce_keyUsage, true, usage);
}

export function authorityKeyUsage(library: X509Library): Extension {
  const { KeyUsage, KeyUsageFlags } = library;
  const usage = new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign);
  return extension(library, library.id_ce_keyUsage, true, usage);
}

export function basicConstraints(library: X509Library, authority: boolean, pathLength?: number): Extension {
  const constraints = new library.BasicConstraints({ cA: authority });
  if (pathLength !== undefined) constraints.pathLenConstraint = pathLength;
  return extension(library, library.id_ce_basicConstraints, true, constraints);
}

/** Critical if the subject is empty (RFC 5280 §4.2.1.6). */
export function subjectAlternativeName(
  library: X509Library,
  names: readonly CertificateName[],
  critical: boolean,
): Extension {
  const value = new library.SubjectAlternativeName(
    names.map((name) => generalName(library, name.kind, name.value)),
  );
  return extension(library, library.id_ce_subjectAltName, critical, value);
}

export function nameConstraints(library: X509Library, constraints: NameConstraints): Extension {
  const value = new library.NameConstraints();
  if (constraints.permitted.length > 0) value.permittedSubtrees = subtrees(library, constraints.permitted);
  if (constraints.excluded.length > 0) value.excludedSubtrees = subtrees(library, constraints.excluded);
  return extension(library, library.id_ce_nameConstraints, true, value);
}

export function subjectKeyIdentifier(library: X509Library, identifier: Buffer): Extension {
  const value = new library.SubjectKeyIdentifier(identifier);
  return extension(library, library.id_ce_subjectKeyIdentifier, false, value);
}

export function authorityKeyIdentifier(library: X509Library, identifier: Buffer): Extension {
  const keyIdentifier = new library.KeyIdentifier(identifier);
  const value = new library.AuthorityKeyIdentifier({ keyIdentifier });
  return extension(library, library.id_ce_authorityKeyIdentifier, false, value);
}

export function crlDistributionPoints(library: X509Library, urls: readonly string[]): Extension {
  const points = urls.map((url) => {
    const fullName = [generalName(library, 'uri', checkCrlUrl(url))];
    return new library.DistributionPoint({
      distributionPoint: new library.DistributionPointName({ fullName }),
    });
  });
  const value = new library.CRLDistributionPoints(points);
  return extension(library, library.id_ce_cRLDistributionPoints, false, value);
}

/** A URL that any client can fetch: RFC 5280 §4.2.1.13 names http and ldap. */
function checkCrlUrl(url: string): string {
  const { kind, value } = parseName(url);
  if (kind === 'uri' && /^(https?|ldaps?):\/\//i.test(value)) return value;
  throw new InvalidOptionError('crlUrls', `"${url}" is no http or ldap URL`);
}

/** RFC 7093 §2 method 1: the first 160 bits of the SHA-256 of the public key. */
export function keyIdentifier(library: X509Library, key: KeyObject): Buffer {
  const { subjectPublicKey } = publicKeyInfo(library, key);
  return createHash('sha256').update(Buffer.from(subjectPublicKey)).digest().subarray(0, 20);
}

export function extension(
  library: X509Library,
  extnID: string,
  critical: boolean,
  value: unknown,
): Extension {
  const extnValue = new library.OctetString(arrayBufferOf(library.encode(value)));
  return new library.Extension({ extnID, critical, extnValue });
}

function generalName(library: X509Library, kind: CertificateName['kind'], value: string): GeneralName {
  const field = { dns: 'dNSName', ip: 'iPAddress', uri: 'uniformResourceIdentifier', email: 'rfc822Name' }[
    kind
  ];
  return new library.GeneralName({ [field]: value });
}

function subtrees(library: X509Library, list: readonly Subtree[]) {
  const { GeneralSubtree, GeneralSubtrees } = library;
  return new GeneralSubtrees(
    list.map(({ kind, base }) => new GeneralSubtree({ base: generalName(library, kind, base) })),
  );
}
