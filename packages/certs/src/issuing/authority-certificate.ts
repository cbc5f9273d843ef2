/** The certificate of an authority itself: a root that signs itself, or an intermediate under another. */
import { InvalidOptionError } from '@knsock/core/errors';
import {
  abortSignal,
  number,
  record,
  string,
  texts,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import type { KeyObject } from 'node:crypto';
import { signCertificate } from './certificate.js';
import { CertificateError } from '../errors.js';
import {
  authorityKeyIdentifier,
  authorityKeyUsage,
  basicConstraints,
  crlDistributionPoints,
  keyIdentifier,
  nameConstraints,
  subjectKeyIdentifier,
} from './extensions.js';
import { hexFingerprint } from '../files/fingerprint.js';
import { generateKey, keyTypeOption, privateKeyPem, type KeyType } from '../keys/keys.js';
import { checkSigner, keyAtHand, keyOf, type Signer, type SigningKey } from '../keys/signer.js';
import type { IssuedRecord } from './record.js';
import { parseNameConstraints, type NameConstraintOptions } from './name-constraints.js';
import { toPem } from '../files/pem.js';
import { randomSerial } from './serial.js';
import type { SigningAuthority } from './signing-authority.js';
import { buildSubject, subjectOf, subjectOptions, type Subject } from './subject.js';
import { AUTHORITY_DAYS, decideValidity } from './validity.js';
import type { X509Library } from '../x509.js';

/** Options of `createAuthority` and `Authority.intermediate`. */
export interface AuthorityOptions extends Subject {
  /** Its name, 64 characters at most. */
  readonly commonName: string;
  /** Days from now; default 3,650, or until the issuer expires. */
  readonly days?: number | undefined;
  /** Default `p256`. */
  readonly keyType?: KeyType | undefined;
  /** Signs instead of a key made here, such as one in an HSM; the certificate is for its key. Default: none. */
  readonly signer?: Signer | undefined;
  /** How many authorities may follow below this one; default: any number for a root, 0 for an intermediate. */
  readonly pathLength?: number | undefined;
  /** What it may sign for; default: everything. */
  readonly nameConstraints?: NameConstraintOptions | undefined;
  /** Where its issuer's revocation list can be fetched (http URLs; intermediates only). */
  readonly crlUrls?: readonly string[] | undefined;
  /** Ends the wait for a signer. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * How each of them is read, and its default; those of days, key and path length depend on the issuer and the signer. Days
 * and path lengths are checked where they are used.
 */
export const authorityOptions = {
  ...subjectOptions,
  commonName: string<string>,
  days: number<number | undefined>,
  keyType: keyTypeOption,
  signer: checkSigner,
  pathLength: number<number | undefined>,
  nameConstraints: record<NameConstraintOptions | undefined>,
  crlUrls: withDefault<readonly string[]>(texts, []),
  signal: abortSignal,
} as const satisfies OptionReaders<AuthorityOptions>;

/** The same with their defaults. */
export type AuthoritySettings = ReadOptions<typeof authorityOptions>;

/** An authority's certificate, as PEM, and its record for the issuer's ledger. */
export interface AuthorityCertificate {
  readonly certificate: string;
  readonly record: IssuedRecord;
}

/** An authority's own key, and its form for storage. */
export interface AuthorityKey {
  readonly signing: SigningKey;
  /** PEM; undefined if a signer holds it. */
  readonly pem: string | undefined;
}

/** The given signer, or a new key. @throws InvalidOptionError, CertificateError */
export async function authorityKey({
  signer,
  keyType,
}: Pick<AuthoritySettings, 'signer' | 'keyType'>): Promise<AuthorityKey> {
  if (signer === undefined) {
    const key = await generateKey(keyType);
    return { signing: keyAtHand(key), pem: privateKeyPem(key) };
  }
  if (keyType !== undefined)
    throw new InvalidOptionError('keyType', 'keyType is for a new key, and the signer has one');
  return { signing: keyOf(signer), pem: undefined };
}

/**
 * Signs the certificate of an authority with the key `key`, by `issuer` or by itself.
 * @throws CertificateError where the issuer may sign no further authority, or an option can't be used.
 */
export async function signAuthority(
  library: X509Library,
  options: AuthoritySettings,
  key: SigningKey,
  issuer?: SigningAuthority,
): Promise<AuthorityCertificate> {
  if ((options.commonName as string | undefined) === undefined)
    throw new InvalidOptionError('commonName', 'an authority needs a commonName');
  const serial = randomSerial();
  const subject = buildSubject(library, subjectOf(options));
  const validity = authorityValidity(options, issuer);
  const { publicKey } = key;
  const extensions = authorityExtensions(library, options, publicKey, issuer);
  const parts = { serial, subject, issuer: issuer?.subject ?? subject, validity, publicKey, extensions };
  const der = await signCertificate(library, parts, issuer?.key ?? key, options.signal);
  const { commonName } = options;
  const record = {
    serial,
    kind: 'authority',
    names: [],
    commonName,
    ...validity,
    fingerprint: hexFingerprint(der),
  } as const;
  return { certificate: toPem('CERTIFICATE', der), record };
}

function authorityValidity({ days }: AuthoritySettings, issuer: SigningAuthority | undefined) {
  const limits = { defaultDays: AUTHORITY_DAYS, maxDays: Number.POSITIVE_INFINITY };
  return decideValidity({ days, ...limits, issuerNotAfter: issuer?.notAfter, now: new Date() });
}

function authorityExtensions(
  library: X509Library,
  options: AuthoritySettings,
  publicKey: KeyObject,
  issuer: SigningAuthority | undefined,
) {
  const constraints = parseNameConstraints(options.nameConstraints);
  const crlUrls = issuer === undefined ? [] : options.crlUrls;
  return [
    basicConstraints(library, true, decidePathLength(options.pathLength, issuer)),
    authorityKeyUsage(library),
    ...(constraints === undefined ? [] : [nameConstraints(library, constraints)]),
    subjectKeyIdentifier(library, keyIdentifier(library, publicKey)),
    ...(issuer === undefined ? [] : [authorityKeyIdentifier(library, issuer.keyIdentifier)]),
    ...(crlUrls.length > 0 ? [crlDistributionPoints(library, crlUrls)] : []),
  ];
}

function decidePathLength(
  wanted: number | undefined,
  issuer: SigningAuthority | undefined,
): number | undefined {
  if (wanted !== undefined && (!Number.isInteger(wanted) || wanted < 0))
    throw refuse(`a path length of ${wanted} is none`);
  if (issuer === undefined) return wanted;
  const length = wanted ?? 0;
  const allowed = issuer.pathLength;
  if (allowed === 0) throw refuse('the authority has path length 0: it signs leaf certificates only');
  if (allowed !== undefined && length >= allowed) {
    throw refuse(`a path length of ${length} doesn't fit below an authority with ${allowed}`);
  }
  return length;
}

function refuse(message: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_PATH_LENGTH', message);
}
