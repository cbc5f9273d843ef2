/** Certificates for servers, clients and peers. */
import type { KeyObject } from 'node:crypto';
import { LEAF_MAX_DAYS, publicHalf } from '@knsock/core/x509';
import {
  abortSignal,
  number,
  readAllOptions,
  string,
  texts,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import { signCertificate } from './certificate.js';
import { CertificateError } from '../errors.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  checkKind,
  crlDistributionPoints,
  extendedKeyUsage,
  keyIdentifier,
  leafKeyUsage,
  subjectAlternativeName,
  subjectKeyIdentifier,
  type CertificateKind,
} from './extensions.js';
import { hexFingerprint } from '../files/fingerprint.js';
import {
  DEFAULT_KEY_TYPE,
  keyTypeOption,
  generateKey,
  privateKeyPem,
  openPrivateKey,
  type KeyType,
} from '../keys/keys.js';
import { keyAtHand, type SigningKey } from '../keys/signer.js';
import { placementOptions, type IssuedFiles, type IssuedRecord, type Placement } from './record.js';
import { parseNames, type CertificateName } from './names.js';
import { toPem } from '../files/pem.js';
import { randomSerial } from './serial.js';
import { buildSubject, defaultSubject, subjectOptions, type Subject } from './subject.js';
import { decideValidity, LEAF_DAYS, type Validity } from './validity.js';
import { x509Library, type DistinguishedName, type X509Library } from '../x509.js';

/** Contents of a leaf certificate. The common name defaults to the first name, if that fits. */
export interface LeafOptions extends Subject {
  /** DNS names (international ones too, `*.` as first label), IP addresses, URIs with '://', e-mail addresses. */
  readonly names?: readonly string[] | undefined;
  /** Days from now; default 90. */
  readonly days?: number | undefined;
  /** Maximum for `days`; default 398. */
  readonly maxDays?: number | undefined;
  /** Default `p256`. */
  readonly keyType?: KeyType | undefined;
  /** PEM of a private key to use instead of a new one. */
  readonly privateKey?: string | undefined;
  /** Decrypts `privateKey`, if it is encrypted. */
  readonly keyPassphrase?: string | undefined;
  /** Where the authority's revocation list can be fetched (http URLs). */
  readonly crlUrls?: readonly string[] | undefined;
}

/**
 * How each of them is read, and its default. The default of days depends on the issuer; they are checked where they are
 * used.
 */
const leafOptions = {
  ...subjectOptions,
  names: withDefault<readonly string[]>(texts, []),
  days: number<number | undefined>,
  maxDays: withDefault<number>(number, LEAF_MAX_DAYS),
  keyType: withDefault<KeyType>(keyTypeOption, DEFAULT_KEY_TYPE),
  privateKey: string<string | undefined>,
  keyPassphrase: string<string | undefined>,
  crlUrls: withDefault<readonly string[]>(texts, []),
} as const satisfies OptionReaders<LeafOptions>;

/** Options of `Authority.issue`. */
export interface IssueOptions extends LeafOptions, Placement {
  /** The certificate's use; sets its key usages. */
  readonly kind: CertificateKind;
  /** Ends the wait for the authority's signer. */
  readonly signal?: AbortSignal | undefined;
}

/** How each of them is read, and its default. */
export const issueOptions = {
  ...leafOptions,
  ...placementOptions,
  kind: string<CertificateKind>,
  signal: abortSignal,
} as const satisfies OptionReaders<IssueOptions>;

/** Options of `createSelfSigned`. */
export interface SelfSignedOptions extends LeafOptions {
  /** Default `server`. */
  readonly kind?: CertificateKind | undefined;
}

/** How each of them is read, and its default; also for `createCsr`, which leaves the rest to the authority. */
export const selfSignedOptions = {
  ...leafOptions,
  kind: withDefault<CertificateKind>(string, 'server'),
} as const satisfies OptionReaders<SelfSignedOptions>;

/** The same with their defaults. */
type LeafSettings = ReadOptions<typeof leafOptions>;

/** A certificate with its key; all PEM. */
export interface Issued {
  /** The leaf alone. */
  readonly certificate: string;
  /** PKCS#8, unencrypted. */
  readonly key: string;
  /** Leaf first, then its issuers without the root: what a server loads as `certFile`. */
  readonly chain: string;
  /** The files in the store; absent in memory. */
  readonly files?: IssuedFiles | undefined;
}

/** A leaf whose contents are decided, without the signature. */
export interface LeafPlan {
  readonly kind: CertificateKind;
  readonly names: readonly CertificateName[];
  readonly subject: Subject;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly crlUrls: readonly string[];
}

/** The issuer; without it the certificate is self-signed. */
export interface LeafIssuer {
  readonly key: SigningKey;
  readonly subject?: DistinguishedName | undefined;
  readonly keyIdentifier?: Buffer | undefined;
}

/**
 * Makes a self-signed certificate: for tests and closed pairs, where each side trusts the other's certificate.
 * @throws CertificateError for names, subject fields, days or keys that can't be used.
 */
export async function createSelfSigned(options: SelfSignedOptions): Promise<Issued> {
  const read = readAllOptions(options, selfSignedOptions);
  const library = await x509Library();
  const { kind, crlUrls } = read;
  const names = leafNames(kind, read);
  const key = await leafKey(read);
  const validity = leafValidity(read, undefined);
  const subject = defaultSubject(read, names);
  const plan = {
    kind,
    names,
    subject,
    validity,
    publicKey: publicHalf(key),
    crlUrls,
  };
  const { certificate } = await signLeaf(library, plan, { key: keyAtHand(key) });
  return { certificate, key: privateKeyPem(key), chain: certificate };
}

/** The parsed names of a leaf; at least one is required, or for a client at least a common name. */
export function leafNames(
  kind: CertificateKind,
  { names: wanted, commonName }: Pick<LeafSettings, 'names' | 'commonName'>,
): CertificateName[] {
  const names = parseNames(wanted);
  checkNamed(kind, names, commonName);
  return names;
}

/** Refuses a certificate without a name, or without a kind. */
function checkNamed(
  kind: CertificateKind,
  names: readonly CertificateName[],
  commonName: string | undefined,
): void {
  checkKind(kind);
  if (names.length > 0 || (kind === 'client' && commonName !== undefined)) return;
  const message = `a ${kind} certificate needs at least one name${kind === 'client' ? ' or a commonName' : ''}`;
  throw new CertificateError('KNSOCK_CERTIFICATE_NAME', message);
}

/** The given key, or a new one. */
export async function leafKey({
  privateKey,
  keyPassphrase,
  keyType,
}: Pick<LeafSettings, 'privateKey' | 'keyPassphrase' | 'keyType'>): Promise<KeyObject> {
  return privateKey === undefined ? generateKey(keyType) : openPrivateKey(privateKey, keyPassphrase);
}

/** The dates of a leaf under an issuer that expires at `issuerNotAfter`. */
export function leafValidity(
  { days, maxDays }: Pick<LeafSettings, 'days' | 'maxDays'>,
  issuerNotAfter: Date | undefined,
): Validity {
  return decideValidity({ days, defaultDays: LEAF_DAYS, maxDays, issuerNotAfter, now: new Date() });
}

/** Signs a plan; pure except for the serial and the signature. */
export async function signLeaf(
  library: X509Library,
  plan: LeafPlan,
  issuer: LeafIssuer,
  signal?: AbortSignal,
): Promise<{ certificate: string; record: IssuedRecord }> {
  const serial = randomSerial();
  const subject = buildSubject(library, plan.subject);
  const parts = {
    serial,
    subject,
    issuer: issuer.subject ?? subject,
    validity: plan.validity,
    publicKey: plan.publicKey,
  };
  const der = await signCertificate(
    library,
    { ...parts, extensions: leafExtensions(library, plan, issuer) },
    issuer.key,
    signal,
  );
  return { certificate: toPem('CERTIFICATE', der), record: recordOf(plan, serial, der) };
}

function leafExtensions(library: X509Library, plan: LeafPlan, issuer: LeafIssuer) {
  const emptySubject = Object.values(plan.subject).every((value) => value === undefined);
  const { names, crlUrls } = plan;
  return [
    basicConstraints(library, false),
    leafKeyUsage(library, plan.kind, plan.publicKey),
    extendedKeyUsage(library, plan.kind),
    ...(names.length > 0 ? [subjectAlternativeName(library, names, emptySubject)] : []),
    subjectKeyIdentifier(library, keyIdentifier(library, plan.publicKey)),
    ...(issuer.keyIdentifier === undefined ? [] : [authorityKeyIdentifier(library, issuer.keyIdentifier)]),
    ...(crlUrls.length > 0 ? [crlDistributionPoints(library, crlUrls)] : []),
  ];
}

function recordOf(plan: LeafPlan, serial: string, der: Buffer): IssuedRecord {
  return {
    serial,
    kind: plan.kind,
    names: plan.names.map(({ value }) => value),
    commonName: plan.subject.commonName,
    ...plan.validity,
    fingerprint: hexFingerprint(der),
  };
}
