/** Signing with the algorithm that fits the key: never SHA-1, never a choice for the caller to get wrong. */
import { sign, verify, type KeyObject } from 'node:crypto';
import { CertificateError } from '../errors.js';
import { describeKey } from './keys.js';
import type { AlgorithmIdentifier, X509Library } from '../x509.js';

interface Signer {
  readonly oid: string;
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null;
  /** RSA algorithms carry an explicit NULL (RFC 4055 §5), the others nothing. */
  readonly nullParameters?: boolean;
}

const byCurve: Record<string, Signer> = {
  prime256v1: { oid: '1.2.840.10045.4.3.2', hash: 'sha256' },
  secp384r1: { oid: '1.2.840.10045.4.3.3', hash: 'sha384' },
  secp521r1: { oid: '1.2.840.10045.4.3.4', hash: 'sha512' },
};
const ed25519: Signer = { oid: '1.3.101.112', hash: null };
const rsa: Signer = { oid: '1.2.840.113549.1.1.11', hash: 'sha256', nullParameters: true };

/** The AlgorithmIdentifier of signatures by this key. */
export function signatureAlgorithm(library: X509Library, key: KeyObject): AlgorithmIdentifier {
  const { oid, nullParameters } = signerOf(key);
  return new library.AlgorithmIdentifier({
    algorithm: oid,
    ...(nullParameters === true ? { parameters: null } : {}),
  });
}

/** Signs DER bytes. */
export function signDer(der: Uint8Array, key: KeyObject): Buffer {
  return sign(signerOf(key).hash, der, key);
}

const verifiers: Record<string, string | null> = {
  ...Object.fromEntries([...Object.values(byCurve), rsa, ed25519].map(({ oid, hash }) => [oid, hash])),
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};

/**
 * Whether `signature` is the key's over `der`, made with the algorithm `oid`.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNSUPPORTED` for an algorithm that isn't accepted, such as SHA-1.
 */
export function verifyDer(oid: string, der: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const hash = verifiers[oid];
  if (hash === undefined) {
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_UNSUPPORTED',
      `the signature algorithm ${oid} isn't accepted`,
    );
  }
  return verify(hash, der, key, signature);
}

function signerOf(key: KeyObject): Signer {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const signer =
    type === 'ec'
      ? byCurve[details?.namedCurve ?? '']
      : type === 'ed25519'
        ? ed25519
        : type === 'rsa'
          ? rsa
          : undefined;
  if (signer !== undefined) return signer;
  throw new CertificateError(
    'KNSOCK_CERTIFICATE_KEY',
    `a key of the kind ${describeKey(key)} can't sign certificates`,
  );
}
