/** The contents of certificates, lists, requests and keys, as plain data for JSON. */
import type { KeyObject } from 'node:crypto';
import {
  publicHalf,
  showReasons,
  type CertificateRevocationList,
  type Extensions,
  type GeneralName,
  type X509Certificate,
} from '@knsock/core/x509';
import { keyName, purposeName, signatureName } from './algorithm-names.js';
import type { CsrInfo } from '../issuing/csr.js';
import { pinOf, withColons } from '../files/fingerprint.js';
import { describeKey, publicKeyDer } from '../keys/keys.js';
import type { Finding } from './finding.js';
import { lintCertificates } from './lint.js';
import type { Subject } from '../issuing/subject.js';

/** A certificate as plain data. */
export interface InspectedCertificate {
  readonly type: 'certificate';
  /** What a PKCS#12 file calls it: Java's alias. */
  readonly friendlyName?: string | undefined;
  /** Purposes set by `openssl x509 -trustout`: `trusted` undefined stands for all others. */
  readonly trustMarks?:
    { readonly trusted: readonly string[] | undefined; readonly rejected: readonly string[] } | undefined;
  /** As text (RFC 4514). */
  readonly subject: string;
  /** As text (RFC 4514). */
  readonly issuer: string;
  /** Whether subject and issuer are the same. */
  readonly selfSigned: boolean;
  /** Lower-case hex. */
  readonly serial: string;
  /** With their kind: `DNS:example.com`, `IP:10.0.0.1`. */
  readonly names: readonly string[];
  /** The first moment of its validity. */
  readonly notBefore: Date;
  /** The last moment of its validity. */
  readonly notAfter: Date;
  /** Kind and size, such as `P-256` or `RSA 2,048 bits`. */
  readonly key: string;
  /** The algorithm it is signed with. */
  readonly signatureAlgorithm: string;
  /** Whether it is a CA certificate (basicConstraints). */
  readonly ca: boolean;
  /** How many CAs may follow below it (pathLenConstraint); undefined: any number. */
  readonly pathLength: number | undefined;
  /** Names of RFC 5280 4.2.1.3. */
  readonly keyUsage: readonly string[];
  /** `server`, `client` …; empty if the certificate doesn't say. */
  readonly extendedKeyUsage: readonly string[];
  /** What a CA may sign for; undefined: anything. */
  readonly nameConstraints:
    { readonly permitted: readonly string[]; readonly excluded: readonly string[] } | undefined;
  /** Where its revocation list can be fetched. */
  readonly crlUrls: readonly string[];
  /** SHA-256, `AA:BB:…`. */
  readonly fingerprint: string;
  /** `sha256/…` of its key, in the form of `pins`. */
  readonly spkiPin: string;
  /** Extensions that this package can't read. */
  readonly unknownExtensions: readonly UnknownExtension[];
  /** Findings of `lint`. */
  readonly findings: readonly Finding[];
}

/** An extension that this package can't read: its content as hex. */
export interface UnknownExtension {
  /** Its identifier, dotted. */
  readonly oid: string;
  /** Whether a verifier must understand it. */
  readonly critical: boolean;
  /** Its value. */
  readonly hex: string;
}

/** A revocation list as plain data. */
export interface InspectedCrl {
  readonly type: 'crl';
  /** As text (RFC 4514). */
  readonly issuer: string;
  /** Hex. */
  readonly number: string | undefined;
  /** When it was signed. */
  readonly thisUpdate: Date;
  /** When the next one is due; undefined if it doesn't say. */
  readonly nextUpdate: Date | undefined;
  /** The algorithm it is signed with. */
  readonly signatureAlgorithm: string;
  /** How many certificates it revokes, and the first hundred of them. */
  readonly size: number;
  /** The revoked certificates, in the list's order. */
  readonly revoked: readonly {
    readonly serial: string;
    readonly date: Date;
    readonly reason: string | undefined;
    /** Who issued the certificate, where an indirect list names another authority; as text (RFC 4514). */
    readonly issuer?: string | undefined;
  }[];
  /** Of a delta list, the number of the complete list that it changes; hex. */
  readonly deltaBase?: string | undefined;
  /** What the list is limited to (issuing distribution point); undefined for a list of everything. */
  readonly scope?: CrlScope | undefined;
  /** Extensions that this package can't read, of the list; a critical one makes it prove nothing but revocations. */
  readonly unknownExtensions: readonly UnknownExtension[];
  /** The first critical extension of an entry that isn't understood. */
  readonly unknownInEntry?: string | undefined;
}

/** Which certificates and reasons a list speaks of (RFC 5280 5.2.5). */
export interface CrlScope {
  /** Its distribution points with their kind, such as `URI:http://…`. */
  readonly points: readonly string[];
  /** The only kind of certificates in it; undefined: all. */
  readonly only: 'users' | 'authorities' | 'attribute certificates' | undefined;
  /** The only reasons that it covers; undefined: all. */
  readonly reasons: string | undefined;
  /** Whether its entries may name other authorities. */
  readonly indirect: boolean;
}

/** A request as plain data. */
export interface InspectedRequest {
  readonly type: 'request';
  /** The requested subject. */
  readonly subject: Subject;
  /** The requested names. */
  readonly names: readonly string[];
  /** Names of kinds that aren't issued here, as readable text. */
  readonly otherNames: readonly string[];
  /** Whether it asks to be a CA. */
  readonly ca: boolean;
  /** Kind and size, such as `P-256` or `RSA 2,048 bits`. */
  readonly key: string;
  /** Whether it is signed with the key that it contains. */
  readonly signatureValid: boolean;
}

/** A key; for a private one only what its public half shows. */
export interface InspectedKey {
  /** Which half of the pair it is. */
  readonly type: 'private-key' | 'public-key';
  /** What a PKCS#12 file calls it: Java's alias. */
  readonly friendlyName?: string | undefined;
  /** Whether it is encrypted. */
  readonly encrypted: boolean;
  /** Undefined if it is encrypted and no passphrase was given, or can't be used. */
  readonly key: string | undefined;
  /** `sha256/…` of its public half; undefined for a key that can't be decrypted or used. */
  readonly spkiPin: string | undefined;
  /** Why no program accepts it: a curve of its own, for one. */
  readonly problem?: string | undefined;
}

/** A part of a file that can't be read, among others that can. */
export interface InspectedDamage {
  readonly type: 'unreadable';
  /** Which part it is, and why it can't be read. */
  readonly problem: string;
  /** What to do. */
  readonly hint: string;
}

/** One object found. */
export type Inspected =
  InspectedCertificate | InspectedCrl | InspectedRequest | InspectedKey | InspectedDamage;

const SHOWN_REVOCATIONS = 100;

// What `InspectedCertificate` shows one way or the other.
const KNOWN_EXTENSIONS = new Set([
  ...['14', '15', '17', '19', '30', '31', '35', '37'].map((last) => `2.5.29.${last}`),
  '1.3.6.1.5.5.7.1.1',
]);

export function certificateFacts(certificate: X509Certificate, at: Date): InspectedCertificate {
  const { basicConstraints, nameConstraints, trustMarks } = certificate;
  return {
    type: 'certificate',
    ...(trustMarks !== undefined && {
      trustMarks: {
        trusted: trustMarks.trusted?.map(purposeName),
        rejected: trustMarks.rejected.map(purposeName),
      },
    }),
    subject: certificate.subject.toString(),
    issuer: certificate.issuer.toString(),
    selfSigned: certificate.isSelfIssued,
    serial: certificate.serial,
    names: (certificate.subjectAltNames ?? []).map(showName),
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    key: keyName(certificate.publicKeyInfo.kind),
    signatureAlgorithm: signatureName(certificate.signatureAlgorithm.oid),
    ca: basicConstraints?.ca === true,
    pathLength: basicConstraints?.pathLength,
    keyUsage: [...(certificate.keyUsage ?? [])],
    extendedKeyUsage: (certificate.extendedKeyUsage ?? []).map(purposeName),
    nameConstraints: nameConstraints && {
      permitted: nameConstraints.permitted.map(showName),
      excluded: nameConstraints.excluded.map(showName),
    },
    crlUrls: crlUrlsOf(certificate),
    fingerprint: withColons(certificate.fingerprint256),
    spkiPin: certificate.spkiPin,
    unknownExtensions: unknownIn(certificate.extensions, KNOWN_EXTENSIONS),
    findings: lintCertificates([certificate], at),
  };
}

export function crlFacts(crl: CertificateRevocationList): InspectedCrl {
  const revoked: InspectedCrl['revoked'][number][] = [];
  for (const entry of crl.entries) {
    if (revoked.length === SHOWN_REVOCATIONS) break;
    const { issuer, ...rest } = entry;
    revoked.push(issuer === undefined ? rest : { ...rest, issuer: issuer.toString() });
  }
  return {
    type: 'crl',
    issuer: crl.issuer.toString(),
    number: crl.number,
    thisUpdate: crl.thisUpdate,
    nextUpdate: crl.nextUpdate,
    signatureAlgorithm: signatureName(crl.signatureAlgorithm.oid),
    size: crl.entries.size,
    revoked,
    deltaBase: crl.deltaBase,
    scope: scopeOf(crl),
    unknownExtensions: unknownIn(crl.extensions, KNOWN_IN_LISTS),
    unknownInEntry: crl.entries.unknownCritical,
  };
}

/** Numbers, delta indicator, scope, freshest list, key identifier and where the issuer's certificate is (RFC 5280 5.2). */
const KNOWN_IN_LISTS = new Set([
  ...['2.5.29.20', '2.5.29.27', '2.5.29.28', '2.5.29.46', '2.5.29.35', '2.5.29.18', '1.3.6.1.5.5.7.1.1'],
]);

function scopeOf({
  issuer,
  issuingDistributionPoint: point,
}: CertificateRevocationList): CrlScope | undefined {
  if (point === undefined) return undefined;
  const { relative, onlySomeReasons: reasons } = point;
  const points =
    relative === undefined ? point.names.map(showName) : [`directory:${issuer.child(relative).toString()}`];
  const only = point.onlyUserCertificates
    ? 'users'
    : point.onlyAuthorities
      ? 'authorities'
      : point.onlyAttributeCertificates
        ? 'attribute certificates'
        : undefined;
  return {
    points,
    only,
    reasons: reasons === undefined ? undefined : showReasons(reasons),
    indirect: point.indirect,
  };
}

export function requestFacts(csr: CsrInfo): InspectedRequest {
  const { subject, names, otherNames, ca, keyDescription, signatureValid } = csr;
  return {
    type: 'request',
    subject,
    names,
    otherNames,
    ca,
    key: keyDescription,
    signatureValid,
  };
}

export function keyFacts(key: KeyObject, encrypted: boolean): InspectedKey {
  const isPrivate = key.type === 'private';
  const publicKey = publicHalf(key);
  const type = isPrivate ? 'private-key' : 'public-key';
  return { type, encrypted, key: describeKey(key), spkiPin: pinOf(publicKeyDer(publicKey)) };
}

function showName(name: GeneralName): string {
  if (name.value instanceof Uint8Array) return `${name.kind}:${name.value.toString('hex')}`;
  const kind = name.kind === 'email' || name.kind === 'directory' ? name.kind : name.kind.toUpperCase();
  return `${kind}:${name.value.toString()}`;
}

function crlUrlsOf({ crlDistributionPoints }: X509Certificate): string[] {
  const names = (crlDistributionPoints ?? []).flatMap((point) => point.names);
  return names.flatMap((name) => (name.kind === 'uri' ? [name.value] : []));
}

function unknownIn(extensions: Extensions, known: ReadonlySet<string>): UnknownExtension[] {
  const unknown = [...extensions.values()].filter(({ oid }) => !known.has(oid));
  return unknown.map(({ oid, critical, value }) => ({ oid, critical, hex: value.toString('hex') }));
}
