/** Our certificate and its key, from wherever they stand. */
import type { KeyObject } from 'node:crypto';
import { CredentialsError, InvalidOptionError } from '../errors/index.js';
import type { X509Certificate } from '../x509/certificate.js';
import { isPkcs7 } from '../x509/formats/objects.js';
import { publicHalf } from '../x509/keys/open-key.js';
import { readPrivateKey, readPrivateKeyOffThread } from '../x509/keys/private-key.js';
import { openPkcs12, openPkcs12OffThread, type OpenedPkcs12 } from '../x509/pkcs12/open.js';
import { readCertificates } from './material.js';
import type { Origins } from './origins.js';
import type { CredentialsWarning } from './warning.js';

type Material = string | Uint8Array;

export interface GivenPair {
  readonly cert?: Material | undefined;
  readonly key?: Material | undefined;
  readonly pfx?: Material | undefined;
  readonly pfxKeyName?: string | undefined;
  readonly passphrase?: string | undefined;
}

/** Certificates, the key's own first, and the key. */
export interface OpenedPair {
  readonly certificates: readonly X509Certificate[];
  readonly key: KeyObject;
  readonly warnings: readonly CredentialsWarning[];
}

/** The pair; null where there is neither certificate nor key. Keys are derived on the calling thread. @throws CredentialsError */
export function openPair(given: GivenPair, origins: Origins): OpenedPair | null {
  const { pfx, pfxKeyName, passphrase } = given;
  requireOneForm(given);
  if (pfx !== undefined) {
    try {
      return fromPkcs12(openPkcs12(bytesOf(pfx), passphrase, pfxKeyName), pfxKeyName, origins.pfx);
    } catch (error) {
      throw withFile(error, origins.pfx);
    }
  }
  const pem = pemPair(given, origins);
  if (pem === null) return null;
  return fromPem(pem.cert, readPrivateKey(pem.key, passphrase, keySubject(origins)), origins);
}

/** The same with keys derived off the main thread. */
export async function openPairOffThread(given: GivenPair, origins: Origins): Promise<OpenedPair | null> {
  const { pfx, pfxKeyName, passphrase } = given;
  requireOneForm(given);
  if (pfx !== undefined) {
    try {
      return fromPkcs12(
        await openPkcs12OffThread(bytesOf(pfx), passphrase, pfxKeyName),
        pfxKeyName,
        origins.pfx,
      );
    } catch (error) {
      throw withFile(error, origins.pfx);
    }
  }
  const pem = pemPair(given, origins);
  if (pem === null) return null;
  const key = readPrivateKeyOffThread(pem.key, passphrase, keySubject(origins));
  const opened = await key.catch((error: unknown) => {
    throw withFile(error, undefined, origins.key);
  });
  return fromPem(pem.cert, opened, origins);
}

function requireOneForm({ cert, key, pfx, pfxKeyName }: GivenPair): void {
  if (pfx !== undefined && (cert !== undefined || key !== undefined))
    throw new InvalidOptionError('pfx', 'give either pfx, or cert and key');
  if (pfx === undefined && pfxKeyName !== undefined)
    throw new InvalidOptionError(
      'pfxKeyName',
      'pfxKeyName says which key of a PKCS#12 file is meant; there is no pfx',
    );
}

function pemPair({ cert, key }: GivenPair, origins: Origins): { cert: Material; key: Material } | null {
  if (cert === undefined && key === undefined) return null;
  if (cert !== undefined && key !== undefined) return { cert, key };
  const [present, missing] = cert === undefined ? ['key', 'certificate'] : ['certificate', 'key'];
  throw new CredentialsError('incomplete', `there is a ${present} but no ${missing}`, {
    file: origins.cert ?? origins.key,
  });
}

function fromPem(cert: Material, key: KeyObject, origins: Origins): OpenedPair {
  const certificates = readCertificates(cert, 'certificate', origins.cert);
  const own = publicKeyOf(key);
  const place = certificates.findIndex(({ publicKeyInfo }) => own.equals(publicKeyInfo.der));
  const [first] = certificates as [X509Certificate];
  if (place === 0) return { certificates, key, warnings: [] };
  const file = origins.key;
  if (place < 0) {
    const message = `the private key${named(file)} doesn't belong to the certificate of ${first.subject.toString()}`;
    throw new CredentialsError('key-mismatch', message, { file });
  }
  // PKCS#7 sorts what it holds, so that its order says nothing.
  if (isPkcs7(cert)) {
    const leaf = certificates[place] as X509Certificate;
    return { certificates: [leaf, ...certificates.filter((one) => one !== leaf)], key, warnings: [] };
  }
  const message = `the private key belongs to certificate ${place + 1} of the file; the leaf must come first`;
  throw new CredentialsError('key-mismatch', message, { file });
}

function fromPkcs12(
  { chain, key, names, name }: OpenedPkcs12,
  chosen: string | undefined,
  file: string | undefined,
): OpenedPair {
  if (names.length < 2 || chosen !== undefined) return { certificates: chain, key, warnings: [] };
  const all = names.map((one) => JSON.stringify(one)).join(', ');
  const message = `the PKCS#12 file${named(file)} has ${names.length} keys (${all}); ${JSON.stringify(name)} is used`;
  return { certificates: chain, key, warnings: [{ reason: 'several-keys', message, file, fatal: false }] };
}

function publicKeyOf(key: KeyObject): Buffer {
  return publicHalf(key).export({ type: 'spki', format: 'der' });
}

function bytesOf(pfx: Material): Uint8Array {
  return typeof pfx === 'string' ? Buffer.from(pfx, 'latin1') : pfx;
}

const keySubject = ({ key }: Origins): string => `the private key${named(key)}`;

/** The same error with its file; its message names the file too where it doesn't yet. */
function withFile(error: unknown, prefix: string | undefined, file = prefix): unknown {
  if (!(error instanceof CredentialsError) || file === undefined) return error;
  const { reason, message, hint, cause } = error;
  const text = prefix === undefined ? message : `${prefix}: ${message}`;
  return new CredentialsError(reason, text, { file, hint, cause });
}

function named(file: string | undefined): string {
  return file === undefined ? '' : ` in ${file}`;
}
