/** The outermost layer of a PKCS#12 file: its contents with a MAC over them (RFC 7292 §4). */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { CertificateError } from '../errors.js';
import type { DerivationBudget } from './derivation-budget.js';
import { DATA } from './pkcs12-content.js';
import { KDF_MAC, pkcs12Key } from './pkcs12-kdf.js';
import { arrayBufferOf, type Pkcs12Library } from '../x509.js';

const SHA256 = '2.16.840.1.101.3.4.2.1';
const hashes = {
  '1.3.14.3.2.26': { name: 'sha1', bytes: 20 },
  [SHA256]: { name: 'sha256', bytes: 32 },
  '2.16.840.1.101.3.4.2.2': { name: 'sha384', bytes: 48 },
  '2.16.840.1.101.3.4.2.3': { name: 'sha512', bytes: 64 },
} as const;

/** Puts the MAC on and returns the whole file. */
export async function addMac(
  library: Pkcs12Library,
  safe: Buffer,
  passphrase: string,
  iterations: number,
): Promise<Buffer> {
  const salt = randomBytes(16);
  const macData = new library.MacData();
  macData.macSalt = new library.OctetString(salt);
  macData.iterations = iterations;
  macData.mac.digestAlgorithm = new library.AlgorithmIdentifier({ algorithm: SHA256, parameters: null });
  const key = await pkcs12Key('sha256', KDF_MAC, passphrase, salt, iterations, 32);
  const digest = createHmac('sha256', key).update(safe).digest();
  macData.mac.digest = new library.OctetString(arrayBufferOf(digest));
  const content = arrayBufferOf(library.encode(new library.OctetString(arrayBufferOf(safe))));
  const authSafe = new library.ContentInfo({ contentType: DATA, content });
  return library.encode(new library.PFX({ version: 3, authSafe, macData }));
}

/**
 * The contents of a file, once its MAC is right.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE` or `KNSOCK_CERTIFICATE_UNSUPPORTED`; the library's own where it is no PKCS#12.
 */
export async function checkMac(
  library: Pkcs12Library,
  file: Uint8Array,
  passphrase: string,
  budget: DerivationBudget,
): Promise<ArrayBuffer> {
  const { authSafe, macData } = library.AsnConvert.parse(file, library.PFX);
  if (authSafe.contentType !== DATA) throw unsupported('it is signed instead of locked with a passphrase');
  const safe = library.AsnConvert.parse(authSafe.content, library.OctetString).buffer;
  const oid = macData.mac.digestAlgorithm.algorithm;
  if (!(oid in hashes)) throw unsupported(`its MAC uses the algorithm ${oid || '(none)'}`);
  const hash = hashes[oid as keyof typeof hashes];
  const [salt, iterations] = [Buffer.from(macData.macSalt.buffer), budget.spend(macData.iterations)];
  const key = await pkcs12Key(hash.name, KDF_MAC, passphrase, salt, iterations, hash.bytes);
  const expected = createHmac(hash.name, key).update(Buffer.from(safe)).digest();
  const found = Buffer.from(macData.mac.digest.buffer);
  if (found.length === expected.length && timingSafeEqual(found, expected)) return safe;
  throw new CertificateError('KNSOCK_CERTIFICATE_PASSPHRASE', 'the passphrase doesn’t open the PKCS#12 file');
}

function unsupported(why: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_UNSUPPORTED', `the PKCS#12 file can't be read: ${why}`);
}
