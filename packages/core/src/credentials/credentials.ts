/**
 * Who I am and whom I trust: one value, checked before use and rotated as a whole. Node lets half a pair, malformed CAs,
 * expired and SHA-1-signed certificates through without a word; here loading refuses what can never work, and wrong
 * dates load with a warning, since a clock can be wrong and a client may have nothing better.
 */
import { CredentialsError } from '../errors/index.js';
import { createHash } from '../node/crypto.js';
import { inspect, inspectCustom, type InspectOptions } from '../node/inspect.js';
import { bytes, bytesOrList, checkOptions, string, type OptionReaders } from '../options/index.js';
import type { CertificateRevocationList, X509Certificate } from '../x509/index.js';
import { marksOf, readAnchorsNow, readAnchorsOffThread, readCrls, type GivenAnchors } from './material.js';
import type { Origins } from './origins.js';
import { hidingKey } from './hidden-key.js';
import { arrangeOwnChain, type OwnChain } from '../x509/own-chain.js';
import { openPair, openPairOffThread, type OpenedPair } from './pair.js';
import { staleWarnings } from './stale-lists.js';
import type { CredentialsWarning } from './warning.js';

type Bytes = string | Uint8Array;

/** Credentials as values: PEM as text or bytes, and the other forms that programs write (docs/certificates.md, "Files"). */
export interface CredentialsOptions {
  /** The certificate, and behind it those that lead to the CA (the root may be absent). */
  cert?: Bytes | undefined;
  /** The certificate's private key. */
  key?: Bytes | undefined;
  /** The CAs that peers must be certified by, PKCS#12 trust stores too; absent on a client: Node's default store. */
  ca?: Bytes | readonly Bytes[] | undefined;
  /** Revocation lists; they mean `crlRevocation({ depth: 'leaf', unknown: 'refuse', stale: 'refuse' })`. */
  crl?: Bytes | readonly Bytes[] | undefined;
  /** A PKCS#12 file with certificate and key, or the base64 of one, instead of `cert` and `key`. */
  pfx?: Bytes | undefined;
  /** Which key of `pfx` is meant, by its friendly name (Java's alias); default the first that has its certificate there. */
  pfxKeyName?: string | undefined;
  /** Opens an encrypted key and PKCS#12 files. */
  passphrase?: string | undefined;
}

/**
 * Credentials, checked. Made by `createCredentials`, `loadCredentials` or `watchCredentials`. Printed, logged or turned
 * into JSON they show whose they are, and never the key.
 */
export interface Credentials {
  /** Changes with any of the contents. */
  readonly version: string;
  /** Our certificate; null for credentials that only say whom to trust. */
  readonly certificate: X509Certificate | null;
  /** Our certificate and those behind it, as sent to the peer. */
  readonly chain: readonly X509Certificate[];
  /** Whom we trust; null: Node's default store. */
  readonly anchors: readonly X509Certificate[] | null;
  /** Changes with the anchors. */
  readonly anchorsVersion: string;
  /** The revocation lists in them. */
  readonly crls: readonly CertificateRevocationList[];
  /** The first moment at which one of our certificates is no longer valid. */
  readonly expiresAt: Date | null;
  /** What is doubtful: wrong dates, stale lists, certificates that the chain doesn't need. */
  readonly warnings: readonly CredentialsWarning[];
  /** What `node:tls` is given; the key is decrypted, and hidden where this is printed. */
  readonly material: Material;
}

type Material = Readonly<{ cert: string; key: string } | Record<string, never>>;

const nothing: Material = Object.freeze({});

const BRAND = Symbol.for('knsock.credentials');
const origin = new WeakMap<Credentials, Origins>();
/** How each of them is read; none has a default. */
export const credentialOptions = {
  cert: bytes,
  key: bytes,
  ca: bytesOrList,
  crl: bytesOrList,
  pfx: bytes,
  pfxKeyName: string,
  passphrase: string,
} as const satisfies OptionReaders<CredentialsOptions>;

/**
 * Checks credentials given as values. An encrypted key or PKCS#12 file is opened on the calling thread, up to 4 million
 * rounds of key derivation (about a second); `loadCredentials` does that off it.
 * @throws CredentialsError for what can never work: half a pair, a mismatch, malformed contents, a weak key
 */
export function createCredentials(options: CredentialsOptions): Credentials {
  checkOptions(options, credentialOptions);
  const pair = openPair(options, {});
  const anchors = options.ca === undefined ? null : readAnchorsNow(givenAnchors(options, {}));
  return checkCredentials({ pair, anchors }, readLists(options, {}), {});
}

/** As `createCredentials`, naming files in errors, with keys derived off the main thread. */
export async function openCredentials(options: CredentialsOptions, origins: Origins): Promise<Credentials> {
  checkOptions(options, credentialOptions);
  return checkCredentials(await openOwn(options, origins), readLists(options, origins), origins);
}

/** What credentials hold besides lists, with keys derived off the main thread. @throws CredentialsError */
export async function openOwn(options: CredentialsOptions, origins: Origins): Promise<OpenedOwn> {
  const pair = await openPairOffThread(options, origins);
  const given = givenAnchors(options, origins);
  return { pair, anchors: options.ca === undefined ? null : await readAnchorsOffThread(given) };
}

/** Whether a value is checked credentials, of whichever copy of the library. */
export function isCredentials(value: unknown): value is Credentials {
  return typeof value === 'object' && value !== null && BRAND in value;
}

function givenAnchors({ ca = [], passphrase }: CredentialsOptions, origins: Origins): GivenAnchors {
  return { ca, passphrase, files: origins.ca };
}

/** A certificate with its key, and whom to trust: read and opened. */
export interface OpenedOwn {
  readonly pair: OpenedPair | null;
  readonly anchors: readonly X509Certificate[] | null;
}

/** Revocation lists, with what is doubtful about them. */
export interface ReadLists {
  readonly crls: readonly CertificateRevocationList[];
  readonly warnings: readonly CredentialsWarning[];
}

function readLists({ crl = [] }: CredentialsOptions, origins: Origins): ReadLists {
  const now = Date.now();
  const sources = list(crl).map((one, place) => {
    const file = origins.crl?.[place];
    const crls = readCrls(one, file);
    return { crls, warnings: staleWarnings(crls, now, file) };
  });
  return {
    crls: sources.flatMap(({ crls }) => crls),
    warnings: sources.flatMap(({ warnings }) => warnings),
  };
}

/** Puts credentials together. @throws CredentialsError for what can never work */
export function checkCredentials(
  { pair, anchors }: OpenedOwn,
  { crls, warnings }: ReadLists,
  origins: Origins,
): Credentials {
  const now = Date.now();
  const file = origins.cert ?? origins.pfx;
  const own = pair && ownChain(pair.certificates, { file, anchors: anchors ?? [], now });
  const chain = own?.chain ?? [];
  const key = (pair?.key.export({ type: 'pkcs8', format: 'pem' }) ?? '') as string;
  const cert = chain.map((certificate) => certificate.pem).join('');
  const credentials = new CheckedCredentials({
    version: digest([
      cert,
      key === '' ? '' : digest([key]),
      ...anchorParts(anchors ?? []),
      '|',
      ...ders(crls),
    ]),
    certificate: chain[0] ?? null,
    chain,
    anchors,
    anchorsVersion: anchors === null ? 'default' : digest(anchorParts(anchors)),
    crls,
    expiresAt: earliest(chain, now),
    warnings: [
      ...(pair?.warnings ?? []),
      ...(own?.warnings.map(({ reason, message, fatal }) => ({ reason, message, fatal, file })) ?? []),
      ...warnings,
    ],
    material: pair === null ? nothing : hidingKey({ cert, key }),
  });
  origin.set(credentials, origins);
  return credentials;
}

/** @throws CredentialsError 'weak' for a leaf that nobody accepts */
function ownChain(...[given, context]: Parameters<typeof arrangeOwnChain>): OwnChain {
  const own = arrangeOwnChain(given, context);
  if (own.refusal === undefined) return own;
  throw new CredentialsError('weak', own.refusal, { file: context.file });
}

/** The file that the certificate came from, for errors about it. */
export function fileOfCertificate(credentials: Credentials): string | undefined {
  const { cert, pfx } = origin.get(credentials) ?? {};
  return cert ?? pfx;
}

/** The files that the trusted certificates came from, for errors about them. */
export function filesOfAnchors(credentials: Credentials): readonly string[] {
  return origin.get(credentials)?.ca ?? [];
}

/** The key is in a private field, and only `material` hands it out. */
class CheckedCredentials implements Credentials {
  readonly version: string;
  readonly certificate: X509Certificate | null;
  readonly chain: readonly X509Certificate[];
  readonly anchors: readonly X509Certificate[] | null;
  readonly anchorsVersion: string;
  readonly crls: readonly CertificateRevocationList[];
  readonly expiresAt: Date | null;
  readonly warnings: readonly CredentialsWarning[];
  readonly #material: Material;

  constructor(checked: Credentials) {
    this.version = checked.version;
    this.certificate = checked.certificate;
    this.chain = checked.chain;
    this.anchors = checked.anchors;
    this.anchorsVersion = checked.anchorsVersion;
    this.crls = checked.crls;
    this.expiresAt = checked.expiresAt;
    this.warnings = checked.warnings;
    this.#material = checked.material;
    Object.freeze(this);
  }

  get [BRAND](): true {
    return true;
  }

  get material(): Material {
    return this.#material;
  }

  toJSON(): object {
    return {
      certificate: this.certificate?.subject.toString() ?? null,
      chain: this.chain.length,
      anchors: this.anchors?.length ?? 'default',
      crls: this.crls.length,
      expiresAt: this.expiresAt,
      warnings: this.warnings,
    };
  }

  [inspectCustom](_depth: number, options: InspectOptions): string {
    return `Credentials ${inspect(this.toJSON(), options)}`;
  }
}

function list(material: Bytes | readonly Bytes[]): readonly Bytes[] {
  return Array.isArray(material) ? (material as readonly Bytes[]) : [material as Bytes];
}

function ders(items: readonly { der: Buffer }[]): Buffer[] {
  return items.map((item) => item.der);
}

/** Marks decide on trust as well as the certificate does. */
function anchorParts(anchors: readonly X509Certificate[]): (string | Buffer)[] {
  return anchors.flatMap((anchor) => (anchor.trustMarks ? [anchor.der, marksOf(anchor)] : [anchor.der]));
}

function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 32);
}

/** Certificates that expired before the leaf began to matter, such as cross-signed twins, don't count. */
function earliest(chain: readonly X509Certificate[], now: number): Date | null {
  const [leaf] = chain;
  if (leaf === undefined) return null;
  const ends = chain.map((certificate) => certificate.notAfter.getTime()).filter((end) => end > now);
  return new Date(Math.min(leaf.notAfter.getTime(), ...ends));
}
