/** Signature algorithms: never SHA-1, and derived from the key where we hold it, so that the caller can't choose wrongly. */
import { sign, verify, type KeyObject } from 'node:crypto';
import { CertificateError } from '../errors.js';
import { describeKey, isLattice } from './keys.js';
import type { AlgorithmIdentifier, X509Library } from '../x509.js';

interface AlgorithmFacts {
  readonly oid: string;
  /** Absent where the algorithm hashes by itself. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512';
  /** RSA algorithms carry an explicit NULL (RFC 4055 §5), the others nothing. */
  readonly nullParameters?: boolean;
}

/** How certificates and lists are signed; RSA with PKCS #1 v1.5 padding. */
export type SignatureAlgorithm =
  | `ecdsa-${'sha256' | 'sha384' | 'sha512'}`
  | `rsa-${'sha256' | 'sha384' | 'sha512'}`
  | 'ed25519'
  | `ml-dsa-${44 | 65 | 87}`;

const algorithms: Readonly<Record<SignatureAlgorithm, AlgorithmFacts>> = {
  'ecdsa-sha256': { oid: '1.2.840.10045.4.3.2', hash: 'sha256' },
  'ecdsa-sha384': { oid: '1.2.840.10045.4.3.3', hash: 'sha384' },
  'ecdsa-sha512': { oid: '1.2.840.10045.4.3.4', hash: 'sha512' },
  'rsa-sha256': { oid: '1.2.840.113549.1.1.11', hash: 'sha256', nullParameters: true },
  'rsa-sha384': { oid: '1.2.840.113549.1.1.12', hash: 'sha384', nullParameters: true },
  'rsa-sha512': { oid: '1.2.840.113549.1.1.13', hash: 'sha512', nullParameters: true },
  ed25519: { oid: '1.3.101.112' },
  'ml-dsa-44': { oid: '2.16.840.1.101.3.4.3.17' },
  'ml-dsa-65': { oid: '2.16.840.1.101.3.4.3.18' },
  'ml-dsa-87': { oid: '2.16.840.1.101.3.4.3.19' },
};

/** Every supported algorithm. */
export const signatureAlgorithms = Object.keys(algorithms) as SignatureAlgorithm[];

const byCurve: Record<string, SignatureAlgorithm> = {
  prime256v1: 'ecdsa-sha256',
  secp384r1: 'ecdsa-sha384',
  secp521r1: 'ecdsa-sha512',
};

/**
 * The algorithm that fits a key.
 * @throws CertificateError `KNSOCK_CERTIFICATE_KEY` for a key that can't sign certificates.
 */
export function algorithmFor(key: KeyObject): SignatureAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const curve = byCurve[details?.namedCurve ?? ''];
  if (type === 'ec' && curve !== undefined) return curve;
  if (type === 'ed25519') return 'ed25519';
  if (isLattice(type)) return type as SignatureAlgorithm;
  if (type === 'rsa') return 'rsa-sha256';
  throw new CertificateError(
    'KNSOCK_CERTIFICATE_KEY',
    `a key of the kind ${describeKey(key)} can't sign certificates`,
  );
}

/** Whether keys of that kind can sign with the algorithm. */
export function fitsKey(algorithm: SignatureAlgorithm, { asymmetricKeyType: type }: KeyObject): boolean {
  return algorithm === type || algorithm.split('-')[0] === (type === 'ec' ? 'ecdsa' : type);
}

/** The form used in certificates and lists. */
export function algorithmIdentifier(
  library: X509Library,
  algorithm: SignatureAlgorithm,
): AlgorithmIdentifier {
  const { oid, nullParameters } = algorithms[algorithm];
  return new library.AlgorithmIdentifier({
    algorithm: oid,
    ...(nullParameters === true ? { parameters: null } : {}),
  });
}

/** Signs DER bytes. */
export function signDer(algorithm: SignatureAlgorithm, der: Uint8Array, key: KeyObject): Buffer {
  return sign(algorithms[algorithm].hash ?? null, der, key);
}

/** Whether `signature` over `der` was made with the key. */
export function isSignedBy(
  algorithm: SignatureAlgorithm,
  der: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
): boolean {
  return verify(algorithms[algorithm].hash ?? null, der, key, signature);
}

/**
 * Whether `signature` over `der` was made with the key and the algorithm `oid`.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNSUPPORTED` for an algorithm that isn't accepted, such as SHA-1.
 */
export function verifyDer(oid: string, der: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const algorithm = signatureAlgorithms.find((name) => algorithms[name].oid === oid);
  if (algorithm === undefined) {
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_UNSUPPORTED',
      `the signature algorithm ${oid} isn't accepted`,
    );
  }
  return isSignedBy(algorithm, der, key, signature);
}
