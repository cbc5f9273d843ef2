/**
 * Who I am and whom I trust: one value, checked before use and rotated as a whole. Node lets half a pair, garbage CAs,
 * expired and SHA-1-signed certificates through without a word; here loading refuses what can never work, and wrong
 * dates load with a warning, since a clock can be wrong and a client may have nothing better.
 */
import { CredentialsError, InvalidOptionError } from '../errors/index.js';
import { createHash } from '../node/crypto.js';
import { inspect, inspectCustom, type InspectOptions } from '../node/inspect.js';
import { refuseUnknown, string } from '../options/index.js';
import type { CertificateRevocationList, X509Certificate } from '../x509/index.js';
import { dateWarnings, staleWarnings, type CredentialsWarning } from './dates.js';
import { checkPair, readCertificates, readCrls, readKey } from './material.js';
import type { Origins } from './origins.js';
import { hidingKey } from './hidden-key.js';
import { readPkcs12 } from './pkcs12.js';

type Bytes = string | Uint8Array;

/** Credentials as values; PEM text or bytes, DER too where a single object is meant. */
export interface CredentialsOptions {
  /** The certificate, and behind it those that lead to the CA (the root may be absent). */
  cert?: Bytes | undefined;
  /** The certificate's private key, PEM. */
  key?: Bytes | undefined;
  /** The CAs that peers must be certified by; absent on a client: Node's default store. */
  ca?: Bytes | readonly Bytes[] | undefined;
  /** Revocation lists; they mean `crlRevocation({ depth: 'leaf', unknown: 'refuse', stale: 'refuse' })`. */
  crl?: Bytes | readonly Bytes[] | undefined;
  /** A PKCS#12 file with certificate and key, instead of `cert` and `key`. */
  pfx?: Uint8Array | undefined;
  /** Opens an encrypted key or PKCS#12 file. */
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
  readonly crls: readonly CertificateRevocationList[];
  /** The first moment at which one of our certificates is no longer valid. */
  readonly expiresAt: Date | null;
  /** What is doubtful: wrong dates, stale lists. */
  readonly warnings: readonly CredentialsWarning[];
  /** What `node:tls` is given; the key is decrypted, and hidden where this is printed. */
  readonly material: Material;
}

type Material = Readonly<{ cert: string; key: string } | Record<string, never>>;

const nothing: Material = Object.freeze({});

const BRAND = Symbol.for('knsock.credentials');
const known = new Set(['cert', 'key', 'ca', 'crl', 'pfx', 'passphrase']);

/**
 * Checks credentials given as values.
 * @throws CredentialsError for what can never work: half a pair, a mismatch, garbage, a weak key, a chain out of order
 */
export function createCredentials(options: CredentialsOptions): Credentials {
  return checkCredentials(options, {});
}

/** Whether a value is checked credentials, of whichever copy of the library. */
export function isCredentials(value: unknown): value is Credentials {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** As `createCredentials`, naming files in errors. */
export function checkCredentials(options: CredentialsOptions, origins: Origins): Credentials {
  refuseUnknown(options, known);
  string('passphrase', options.passphrase);
  const pair = readPair(options, origins);
  const anchors =
    options.ca === undefined
      ? null
      : list(options.ca).flatMap((ca) => readCertificates(ca, 'CA', origins.ca));
  if (anchors?.length === 0) {
    throw new CredentialsError(
      'garbage',
      'ca holds no certificate; leave it out to trust Node’s default store',
      { file: origins.ca },
    );
  }
  const crls =
    options.crl === undefined ? [] : list(options.crl).flatMap((crl) => readCrls(crl, origins.crl));
  const now = Date.now();
  return new CheckedCredentials({
    version: digest([pair.material.cert ?? '', pair.keyDigest, ...ders(anchors ?? []), '|', ...ders(crls)]),
    certificate: pair.chain[0] ?? null,
    chain: pair.chain,
    anchors,
    anchorsVersion: anchors === null ? 'default' : digest(ders(anchors)),
    crls,
    expiresAt: earliest(pair.chain),
    warnings: [
      ...dateWarnings(pair.chain, now, origins.cert ?? origins.pfx),
      ...staleWarnings(crls, now, origins.crl),
    ],
    material: pair.material,
  });
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

interface Pair {
  readonly chain: readonly X509Certificate[];
  readonly material: Material;
  readonly keyDigest: string;
}

function readPair(options: CredentialsOptions, origins: Origins): Pair {
  const { cert, key, pfx, passphrase } = options;
  if (pfx !== undefined && (cert !== undefined || key !== undefined)) {
    throw new InvalidOptionError('pfx', 'give either pfx, or cert and key');
  }
  const source = pfx === undefined ? { cert, key } : readPkcs12(pfx, passphrase, origins.pfx);
  if (source.cert === undefined && source.key === undefined)
    return { chain: [], material: nothing, keyDigest: '' };
  if (source.cert === undefined || source.key === undefined) {
    const [present, missing] = source.cert === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
    throw new CredentialsError('half-a-pair', `there is a ${present} but no ${missing}`, {
      file: origins.cert ?? origins.key ?? origins.pfx,
    });
  }
  const chain = readCertificates(source.cert, 'certificate', origins.cert ?? origins.pfx);
  const privateKey = readKey(source.key, passphrase, origins.key ?? origins.pfx);
  checkPair(chain, privateKey, origins);
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return {
    chain,
    material: hidingKey({ cert: chain.map((certificate) => certificate.pem).join(''), key: keyPem }),
    keyDigest: digest([keyPem]),
  };
}

function list(material: Bytes | readonly Bytes[]): readonly Bytes[] {
  return Array.isArray(material) ? (material as readonly Bytes[]) : [material as Bytes];
}

function ders(items: readonly { der: Buffer }[]): Buffer[] {
  return items.map((item) => item.der);
}

function digest(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex').slice(0, 32);
}

function earliest(chain: readonly X509Certificate[]): Date | null {
  if (chain.length === 0) return null;
  return new Date(Math.min(...chain.map((certificate) => certificate.notAfter.getTime())));
}
