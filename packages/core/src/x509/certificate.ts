import { createHash, type KeyObject } from '../node/crypto.js';
import type { AlgorithmIdentifier } from './algorithm.js';
import { readBasicConstraints, type BasicConstraints } from './basic-constraints.js';
import { contextTag, Tag, type DerReader } from './der.js';
import { readDistributionPoints, type DistributionPoint } from './distribution-points.js';
import { decodeExtension, noExtensions, readExtensions, type Extensions } from './extensions.js';
import { readGeneralName, readGeneralNames, type GeneralName } from './general-names.js';
import {
  readAuthorityKeyIdentifier,
  readSubjectKeyIdentifier,
  type AuthorityKeyIdentifier,
} from './key-identifiers.js';
import { readExtendedKeyUsage, readKeyUsage, type KeyUsage } from './key-usage.js';
import { readName, type DistinguishedName } from './name.js';
import { readNetscapeCertType, type NetscapeUse } from './netscape-cert-type.js';
import { extensionOid as oid } from './oid.js';
import { objectIn, objectsIn, reading } from './formats/objects.js';
import type { TrustMarks } from './formats/trusted.js';
import { toPem } from './pem.js';
import {
  readInhibitAnyPolicy,
  readPolicies,
  readPolicyConstraints,
  readPolicyMappings,
  type PolicyConstraints,
  type PolicyMapping,
} from './policy-extensions.js';
import { readPublicKeyInfo, toKeyObject, type PublicKeyInfo } from './public-key.js';
import { showSerial } from './serial.js';
import { verifySignature } from './signature.js';
import { readSigned, requireSameAlgorithm } from './signed.js';
import { readNameConstraints, type NameConstraints } from './subtrees.js';
import { readTime } from './time.js';

/**
 * Reads one certificate: PEM, DER, either in UTF-16, base64 alone, or PKCS#7.
 * @throws MalformedDerError where it isn't exactly one, or breaks DER or the syntax of RFC 5280
 */
export function parseCertificate(pemOrDer: string | Uint8Array): X509Certificate {
  const { der, marks } = objectIn(pemOrDer, 'certificate');
  return new X509Certificate(der, marks);
}

/**
 * Reads every certificate of a PEM bundle or PKCS#7, in order, or the one of a DER input.
 * @throws MalformedDerError where there is none, saying what is there instead, or one of them can't be read, saying which
 */
export function parseCertificates(bundle: string | Uint8Array): X509Certificate[] {
  return objectsIn(bundle, 'certificate').map((one) =>
    reading(one, (der) => new X509Certificate(der, one.marks)),
  );
}

/** A certificate, read completely and never changed (RFC 5280 4.1). */
export class X509Certificate {
  /** The whole certificate. */
  readonly der: Buffer;
  /** The signed part. */
  readonly tbs: Buffer;
  /** As in the certificate (RFC 5280 4.1.2.1). */
  readonly version: 1 | 2 | 3;
  /** The serial number in lower-case hex, without leading zero bytes; negative ones start with `-`. */
  readonly serial: string;
  /** The serial number as it stands there. */
  readonly serialBytes: Buffer;
  /** Who signed it. */
  readonly issuer: DistinguishedName;
  /** Whom it is about. */
  readonly subject: DistinguishedName;
  /** Its key, not yet opened. */
  readonly publicKeyInfo: PublicKeyInfo;
  /** What it is signed with. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** The signature's bytes. */
  readonly signature: Buffer;
  /** Its extensions by identifier. */
  readonly extensions: Extensions;
  /** Undefined without the extension; the other fields below likewise. */
  readonly subjectAltNames: readonly GeneralName[] | undefined;
  /** RFC 5280 4.2.1.3. */
  readonly keyUsage: ReadonlySet<KeyUsage> | undefined;
  /** Purposes as identifiers, such as `1.3.6.1.5.5.7.3.1` for servers. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Netscape's certificate type, which OpenSSL enforces beside the extended key usage. */
  readonly netscapeCertType: ReadonlySet<NetscapeUse> | undefined;
  /** RFC 5280 4.2.1.9. */
  readonly basicConstraints: BasicConstraints | undefined;
  /** RFC 5280 4.2.1.10. */
  readonly nameConstraints: NameConstraints | undefined;
  /** Object identifiers of its policies (RFC 5280 4.2.1.4). */
  readonly policies: readonly string[] | undefined;
  /** RFC 5280 4.2.1.5. */
  readonly policyMappings: readonly PolicyMapping[] | undefined;
  /** RFC 5280 4.2.1.11. */
  readonly policyConstraints: PolicyConstraints | undefined;
  /** RFC 5280 4.2.1.14. */
  readonly inhibitAnyPolicy: number | undefined;
  /** RFC 5280 4.2.1.1. */
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  /** RFC 5280 4.2.1.2. */
  readonly subjectKeyIdentifier: Buffer | undefined;
  /** RFC 5280 4.2.1.13. */
  readonly crlDistributionPoints: readonly DistributionPoint[] | undefined;
  /** For which purposes openssl is to trust it (`TRUSTED CERTIFICATE`); counts where it is an anchor. */
  readonly trustMarks: TrustMarks | undefined;
  readonly #notBefore: number;
  readonly #notAfter: number;
  #publicKey: KeyObject | undefined;
  #isSelfSigned: boolean | undefined;
  #fingerprint: string | undefined;
  #spkiPin: string | undefined;

  /** @throws MalformedDerError */
  constructor(der: Buffer, trustMarks?: TrustMarks) {
    const { body, tbs, signatureAlgorithm, signature } = readSigned(der, 'certificate');
    this.der = der;
    this.trustMarks = trustMarks;
    this.tbs = tbs;
    this.signatureAlgorithm = signatureAlgorithm;
    this.signature = signature;

    this.version = readVersion(body);
    this.serialBytes = body.integer('serial number');
    this.serial = showSerial(this.serialBytes);
    requireSameAlgorithm(body, signatureAlgorithm);
    this.issuer = readName(body, 'issuer');
    const validity = body.enter(Tag.sequence, 'validity');
    this.#notBefore = readTime(validity, 'notBefore');
    this.#notAfter = readTime(validity, 'notAfter');
    validity.finish('validity');
    this.subject = readName(body, 'subject');
    this.publicKeyInfo = readPublicKeyInfo(body);
    skipUniqueIdentifiers(body, this.version);
    this.extensions = readCertificateExtensions(body, this.version);
    body.finish('certificate body');

    const { extensions } = this;
    this.subjectAltNames = decodeExtension(extensions, oid.subjectAltName, (value) =>
      readGeneralNames(value, 'subjectAltName'),
    );
    this.keyUsage = decodeExtension(extensions, oid.keyUsage, readKeyUsage);
    this.extendedKeyUsage = decodeExtension(extensions, oid.extendedKeyUsage, readExtendedKeyUsage);
    this.netscapeCertType = decodeExtension(extensions, oid.netscapeCertType, readNetscapeCertType);
    this.basicConstraints = decodeExtension(extensions, oid.basicConstraints, readBasicConstraints);
    this.nameConstraints = decodeExtension(extensions, oid.nameConstraints, readNameConstraints);
    this.policies = decodeExtension(extensions, oid.certificatePolicies, readPolicies);
    this.policyMappings = decodeExtension(extensions, oid.policyMappings, readPolicyMappings);
    this.policyConstraints = decodeExtension(extensions, oid.policyConstraints, readPolicyConstraints);
    this.inhibitAnyPolicy = decodeExtension(extensions, oid.inhibitAnyPolicy, readInhibitAnyPolicy);
    this.authorityKeyIdentifier = decodeExtension(
      extensions,
      oid.authorityKeyIdentifier,
      readAuthorityKeyIdentifier,
    );
    this.subjectKeyIdentifier = decodeExtension(
      extensions,
      oid.subjectKeyIdentifier,
      readSubjectKeyIdentifier,
    );
    this.crlDistributionPoints = decodeExtension(
      extensions,
      oid.crlDistributionPoints,
      readDistributionPoints,
    );
    decodeExtension(extensions, oid.authorityInfoAccess, checkInfoAccess);
  }

  /** The first moment of validity. */
  get notBefore(): Date {
    return new Date(this.#notBefore);
  }

  /** The last moment of validity, which still belongs to it. */
  get notAfter(): Date {
    return new Date(this.#notAfter);
  }

  /** @throws MalformedDerError where this Node can't use such a key */
  get publicKey(): KeyObject {
    return (this.#publicKey ??= toKeyObject(this.publicKeyInfo));
  }

  /** SHA-256 of the DER, lower-case hex. */
  get fingerprint256(): string {
    return (this.#fingerprint ??= createHash('sha256').update(this.der).digest('hex'));
  }

  /** `sha256/` and the base64 of SHA-256 of the public key: it survives a renewal that keeps the key. */
  get spkiPin(): string {
    return (this.#spkiPin ??= `sha256/${createHash('sha256').update(this.publicKeyInfo.der).digest('base64')}`);
  }

  /** Whether issuer and subject are the same name (RFC 5280 6.1): a root, or a CA's new key signed by its old one. */
  get isSelfIssued(): boolean {
    return this.subject.equals(this.issuer);
  }

  /** Whether its own key signed it; false too where the algorithm is too weak to be relied on. Checked once. */
  get isSelfSigned(): boolean {
    return (this.#isSelfSigned ??= verifySignature(this, () => this.publicKey).status === 'good');
  }

  /** DNS names in subjectAltName. */
  get dnsNames(): string[] {
    return this.#altNames('dns');
  }

  /** Canonical text: dotted IPv4, RFC 5952 IPv6. */
  get ipAddresses(): string[] {
    return this.#altNames('ip');
  }

  /** Mailboxes in subjectAltName. */
  get emailAddresses(): string[] {
    return this.#altNames('email');
  }

  /** URIs in subjectAltName. */
  get uris(): string[] {
    return this.#altNames('uri');
  }

  /** As a PEM block, with a line feed at its end. */
  get pem(): string {
    return toPem('CERTIFICATE', this.der);
  }

  #altNames(kind: 'dns' | 'ip' | 'email' | 'uri'): string[] {
    return (this.subjectAltNames ?? []).flatMap((name) => (name.kind === kind ? [name.value] : []));
  }
}

function readVersion(reader: DerReader): 1 | 2 | 3 {
  const tag = contextTag(0, 'constructed');
  if (!reader.has(tag)) return 1;
  const explicit = reader.enter(tag, 'version');
  const version = explicit.smallInteger(2, 'version');
  explicit.finish('version');
  return version === 2 ? 3 : version === 1 ? 2 : explicit.fail('version 1 is spelled out, which DER forbids');
}

/** Nobody uses them; RFC 5280 4.1.2.8 wants them read over, from version 2 on. */
function skipUniqueIdentifiers(reader: DerReader, version: number): void {
  for (const tag of [contextTag(1, 'primitive'), contextTag(2, 'primitive')]) {
    if (version > 1 && reader.has(tag)) reader.bitString('unique identifier', tag);
  }
}

function readCertificateExtensions(reader: DerReader, version: number): Extensions {
  const tag = contextTag(3, 'constructed');
  if (version < 3 || !reader.has(tag)) return noExtensions;
  const explicit = reader.enter(tag, 'extensions');
  const extensions = readExtensions(explicit, 'extensions');
  explicit.finish('extensions');
  return extensions;
}

/** Authority information access isn't used, but malformed it shows an issuer not to rely on. */
function checkInfoAccess(reader: DerReader): void {
  const sequence = reader.enter(Tag.sequence, 'authority information access');
  if (sequence.isDone) sequence.fail('authority information access is empty');
  while (!sequence.isDone) {
    const description = sequence.enter(Tag.sequence, 'access description');
    description.oid('access method');
    readGeneralName(description, 'access location', 'address');
    description.finish('access description');
  }
}
