/** Private keys: made, read and written by node:crypto. */
import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { word } from '@knsock/core/options';
import * as core from '@knsock/core/x509';
import { fromCore } from '../files/from-core.js';
import { CertificateError } from '../errors.js';

/**
 * The supported key types; default `p256`. ML-DSA (`mldsa44` …), which withstands quantum computers, needs Node 24.6 or
 * later, here and wherever its certificates are verified.
 */
export type KeyType =
  'p256' | 'p384' | 'ed25519' | 'rsa2048' | 'rsa3072' | 'rsa4096' | 'mldsa44' | 'mldsa65' | 'mldsa87';

const rsaBits: Partial<Record<KeyType, number>> = { rsa2048: 2_048, rsa3072: 3_072, rsa4096: 4_096 };
const curves: Partial<Record<KeyType, string>> = { p256: 'P-256', p384: 'P-384' };
const latticeTypes: Partial<Record<KeyType, string>> = {
  mldsa44: 'ml-dsa-44',
  mldsa65: 'ml-dsa-65',
  mldsa87: 'ml-dsa-87',
};

/** The reader of an option that is one. */
export const keyTypeOption = word<KeyType>(
  'p256',
  'p384',
  'ed25519',
  'rsa2048',
  'rsa3072',
  'rsa4096',
  'mldsa44',
  'mldsa65',
  'mldsa87',
);

/** What is made where nobody says another. */
export const DEFAULT_KEY_TYPE: KeyType = 'p256';

/**
 * Creates a private key. RSA keys, which take up to seconds, are created off the main thread.
 * @throws CertificateError `KNSOCK_CERTIFICATE_KEY` for an unknown type, or one that this version of Node doesn't support.
 */
export async function generateKey(keyType: KeyType = DEFAULT_KEY_TYPE): Promise<KeyObject> {
  const namedCurve = curves[keyType];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve }).privateKey;
  if (keyType === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  const latticeType = latticeTypes[keyType];
  if (latticeType !== undefined) return generateLatticeKey(latticeType);
  const modulusLength = rsaBits[keyType];
  if (modulusLength === undefined) throw unknownType(keyType);
  return (await promisify(generateKeyPair)('rsa', { modulusLength })).privateKey;
}

/** Node 20's type definitions have none of them. */
function generateLatticeKey(type: string): KeyObject {
  const generate = generateKeyPairSync as unknown as (type: string) => { privateKey: KeyObject };
  try {
    return generate(type).privateKey;
  } catch (cause) {
    const name = type.toUpperCase();
    const message = `this version of Node (${process.version}) has no ${name} keys`;
    throw new CertificateError('KNSOCK_CERTIFICATE_KEY', message, {
      cause,
      hint: `Node has ${name} from version 24.6 on.`,
    });
  }
}

/**
 * Reads a private key: PKCS#8, encrypted or not, PKCS#1, SEC1 and OpenSSL's old encryption, PEM or DER, JWK, or OpenSSH's
 * format without a passphrase. Decryption keys are derived on the calling thread.
 * @param strength `strong` refuses keys that peers refuse; `any` reads them anyway.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_MALFORMED`, `_UNSUPPORTED` or `_KEY`.
 */
export function readPrivateKey(
  input: string | Uint8Array,
  passphrase?: string,
  strength: 'strong' | 'any' = 'strong',
): KeyObject {
  const key = fromCore(() => core.readPrivateKey(input, passphrase));
  if (strength === 'strong') checkStrength(key);
  return key;
}

/** As `readPrivateKey`, with decryption keys derived off the main thread. */
export async function openPrivateKey(
  input: string | Uint8Array,
  passphrase?: string,
  strength: 'strong' | 'any' = 'strong',
): Promise<KeyObject> {
  const key = await core.readPrivateKeyOffThread(input, passphrase).catch((error: unknown) =>
    fromCore(() => {
      throw error;
    }),
  );
  if (strength === 'strong') checkStrength(key);
  return key;
}

/** PKCS#8 PEM of a private key, unencrypted. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** SubjectPublicKeyInfo of a key, private or public, as DER. */
export function publicKeyDer(key: KeyObject): Buffer {
  return core.publicHalf(key).export({ type: 'spki', format: 'der' });
}

/** A readable name of a key: "P-256", "RSA 2,048 bits", "Ed25519". */
export function describeKey(key: KeyObject): string {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' || type === 'rsa-pss') {
    const name = type === 'rsa' ? 'RSA' : 'RSA-PSS';
    return `${name} ${(details?.modulusLength ?? 0).toLocaleString('en')} bits`;
  }
  if (type === 'ec') return curveNames[details?.namedCurve ?? ''] ?? details?.namedCurve ?? 'EC';
  if (type === undefined) return 'unknown';
  return isLattice(type) ? type.toUpperCase() : type.replace(/^ed/, 'Ed').replace(/^x/, 'X');
}

const curveNames: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/**
 * Refuses keys that peers refuse.
 * @throws CertificateError `KNSOCK_CERTIFICATE_KEY`.
 */
export function checkStrength(key: KeyObject): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const bits = details?.modulusLength ?? 0;
  const fits =
    type === 'ed25519' ||
    isLattice(type) ||
    (type === 'ec' && (details?.namedCurve ?? '') in curveNames) ||
    (type === 'rsa' && bits >= 2_048 && bits <= 8_192 && isUsableExponent(details?.publicExponent));
  if (!fits)
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_KEY',
      `a key of the kind ${describeKey(key)}${exponentOf(key)} isn't used here`,
    );
}

/** Whether Node's name of a key type is one of ML-DSA. */
export function isLattice(type: string | undefined): boolean {
  return type !== undefined && Object.values(latticeTypes).includes(type);
}

function exponentOf({ asymmetricKeyDetails: details }: KeyObject): string {
  const exponent = details?.publicExponent;
  return exponent === undefined || isUsableExponent(exponent) ? '' : ` with the public exponent ${exponent}`;
}

/** With 1 every signature equals its message, even exponents have no inverse, and OpenSSL accepts none over 64 bits. */
function isUsableExponent(exponent = 0n): boolean {
  return exponent > 1n && exponent % 2n === 1n && exponent < 2n ** 64n;
}

function unknownType(keyType: string): CertificateError {
  const known = ['p256', 'p384', 'ed25519', ...Object.keys(rsaBits), ...Object.keys(latticeTypes)].join(', ');
  return new CertificateError('KNSOCK_CERTIFICATE_KEY', `"${keyType}" is no key type; these are: ${known}`);
}
