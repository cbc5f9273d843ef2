import { createHash } from '../node/crypto.js';
import type { AlgorithmIdentifier } from './algorithm.js';
import type { X509Certificate } from './certificate.js';
import { contextTag, Tag, type DerReader } from './der.js';
import { readPointName, type DistributionPointName } from './distribution-points.js';
import { decodeExtension, noExtensions, readExtensions, type Extensions } from './extensions.js';
import { readAuthorityKeyIdentifier, type AuthorityKeyIdentifier } from './key-identifiers.js';
import { readName, type DistinguishedName } from './name.js';
import { extensionOid as oid } from './oid.js';
import { objectIn, objectsIn, reading } from './formats/objects.js';
import { readReasonFlags, type ReasonSet } from './reason-flags.js';
import { RevokedEntries, type RevokedEntry } from './revoked-entries.js';
import { showSerial } from './serial.js';
import { readSigned, requireSameAlgorithm } from './signed.js';
import { isTime, readTime } from './time.js';

/** Which certificates a CRL speaks of (RFC 5280 5.2.5). */
export interface IssuingDistributionPoint extends DistributionPointName {
  /** The extension's value. */
  readonly der: Buffer;
  /** The list has certificates of others than CAs alone. */
  readonly onlyUserCertificates: boolean;
  /** The list has certificates of CAs alone. */
  readonly onlyAuthorities: boolean;
  /** The reasons that it covers; undefined: all. */
  readonly onlySomeReasons: ReasonSet | undefined;
  /** Whether its entries name issuers other than the CRL's own. */
  readonly indirect: boolean;
  /** The list has attribute certificates alone. */
  readonly onlyAttributeCertificates: boolean;
}

/**
 * Reads one CRL, PEM (`X509 CRL` or `CRL`) or DER.
 * @throws MalformedDerError where it isn't exactly one, or breaks DER or the syntax of RFC 5280
 */
export function parseCrl(pemOrDer: string | Uint8Array): CertificateRevocationList {
  return new CertificateRevocationList(objectIn(pemOrDer, 'revocation list').der);
}

/**
 * Reads every CRL of a PEM bundle, in order, or the one of a DER input.
 * @throws MalformedDerError where there is none, or one of them can't be read
 */
export function parseCrls(bundle: string | Uint8Array): CertificateRevocationList[] {
  return objectsIn(bundle, 'revocation list').map((one) =>
    reading(one, (der) => new CertificateRevocationList(der)),
  );
}

/** A certificate revocation list (RFC 5280 5.1), read completely and never changed. */
export class CertificateRevocationList {
  /** The whole list. */
  readonly der: Buffer;
  /** The signed part. */
  readonly tbs: Buffer;
  /** As in the list (RFC 5280 5.1.2.1). */
  readonly version: 1 | 2;
  /** The authority that revokes, unless an entry names another. */
  readonly issuer: DistinguishedName;
  /** The revoked certificates. */
  readonly entries: RevokedEntries;
  /** What it is signed with. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** The signature's bytes. */
  readonly signature: Buffer;
  /** Its extensions by identifier. */
  readonly extensions: Extensions;
  /** The CRL number in hex, as `X509Certificate.serial`. */
  readonly number: string | undefined;
  /** Of a list of changes, the number of the complete list that they are changes to, in hex. */
  readonly deltaBase: string | undefined;
  /** Which key of the issuer signed it. */
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  /** What the list is limited to. */
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  readonly #thisUpdate: number;
  readonly #nextUpdate: number | undefined;
  #fingerprint: string | undefined;

  /** @throws MalformedDerError */
  constructor(der: Buffer) {
    const { body, tbs, signatureAlgorithm, signature } = readSigned(der, 'CRL');
    this.der = der;
    this.tbs = tbs;
    this.signatureAlgorithm = signatureAlgorithm;
    this.signature = signature;

    this.version = body.has(Tag.integer) && body.smallInteger(1, 'CRL version') === 1 ? 2 : 1;
    requireSameAlgorithm(body, signatureAlgorithm);
    this.issuer = readName(body, 'CRL issuer');
    this.#thisUpdate = readTime(body, 'thisUpdate');
    this.#nextUpdate = isTime(body) ? readTime(body, 'nextUpdate') : undefined;
    const revoked = body.has(Tag.sequence) ? body.enter(Tag.sequence, 'revoked certificates') : undefined;
    this.entries = new RevokedEntries(revoked, der);
    this.extensions = readCrlExtensions(body);
    body.finish('CRL body');

    const { extensions } = this;
    this.number = decodeExtension(extensions, oid.crlNumber, (value) =>
      showSerial(value.integer('CRL number')),
    );
    this.deltaBase = decodeExtension(extensions, oid.deltaCrlIndicator, (value) =>
      showSerial(value.integer('delta CRL indicator')),
    );
    this.authorityKeyIdentifier = decodeExtension(
      extensions,
      oid.authorityKeyIdentifier,
      readAuthorityKeyIdentifier,
    );
    this.issuingDistributionPoint = decodeExtension(
      extensions,
      oid.issuingDistributionPoint,
      readIssuingPoint,
    );
  }

  /** When it was signed. */
  get thisUpdate(): Date {
    return new Date(this.#thisUpdate);
  }

  /** When the next list is due at the latest; undefined where the list doesn't say. */
  get nextUpdate(): Date | undefined {
    return this.#nextUpdate === undefined ? undefined : new Date(this.#nextUpdate);
  }

  /** SHA-256 of the DER, lower-case hex. */
  get fingerprint256(): string {
    return (this.#fingerprint ??= createHash('sha256').update(this.der).digest('hex'));
  }

  /** The entry of a certificate, if the list has one; says nothing of whether the list may be relied on. */
  find(certificate: X509Certificate): RevokedEntry | undefined {
    const { issuer, serialBytes } = certificate;
    const isOwn = issuer.equals(this.issuer);
    return this.entries.find(serialBytes, issuer) ?? (isOwn ? this.entries.find(serialBytes) : undefined);
  }
}

function readCrlExtensions(tbs: DerReader): Extensions {
  const tag = contextTag(0, 'constructed');
  if (!tbs.has(tag)) return noExtensions;
  const explicit = tbs.enter(tag, 'CRL extensions');
  const extensions = readExtensions(explicit, 'CRL extensions');
  explicit.finish('CRL extensions');
  return extensions;
}

function readIssuingPoint(reader: DerReader): IssuingDistributionPoint {
  const what = 'issuing distribution point';
  const start = reader.position;
  const sequence = reader.enter(Tag.sequence, what);
  const flag = (number: number): boolean => {
    const tag = contextTag(number, 'primitive');
    if (!sequence.has(tag)) return false;
    const content = sequence.content(tag, what);
    return content.length === 1 && content[0] === 0xff
      ? true
      : sequence.fail(`${what} has a flag that isn't true`);
  };
  const name = readPointName(sequence);
  const point = {
    ...name,
    onlyUserCertificates: flag(1),
    onlyAuthorities: flag(2),
    onlySomeReasons: readSomeReasons(sequence, what),
    indirect: flag(4),
    onlyAttributeCertificates: flag(5),
  };
  sequence.finish(what);
  return { ...point, der: reader.bytes.subarray(start, reader.position) };
}

function readSomeReasons(sequence: DerReader, what: string): ReasonSet | undefined {
  const tag = contextTag(3, 'primitive');
  return sequence.has(tag) ? readReasonFlags(sequence, what, tag) : undefined;
}
