import { constants, verify, type KeyObject } from '../node/crypto.js';
import { hasNullParameters, readAlgorithm, type AlgorithmIdentifier } from './algorithm.js';
import { DerReader, Tag } from './der.js';
import { readPssParameters, SHA_1, type PssParameters } from './pss-parameters.js';
import type { Signed } from './signed.js';

/** How a signature was made; `hash` is null where the algorithm brings its own. */
interface Scheme {
  readonly name: string;
  readonly keyTypes: readonly string[];
  readonly hash: string | null;
  readonly saltLength?: number;
}

/** What became of checking a signature; `problem` is a part of a sentence. */
export type SignatureVerdict =
  { readonly status: 'good' | 'bad' } | { readonly status: 'weak' | 'unsupported'; readonly problem: string };

const rsa = (hash: string): Scheme => ({ name: `RSA with ${hash}`, keyTypes: ['rsa'], hash });
const ecdsa = (hash: string): Scheme => ({ name: `ECDSA with ${hash}`, keyTypes: ['ec'], hash });
const own = (name: string): Scheme => ({ name, keyTypes: [name], hash: null });

/** Signature algorithms that are relied on (RFC 8017, 5758, 8410, 9881). */
const schemes: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.1.11': rsa('sha256'),
  '1.2.840.113549.1.1.12': rsa('sha384'),
  '1.2.840.113549.1.1.13': rsa('sha512'),
  '1.2.840.10045.4.3.2': ecdsa('sha256'),
  '1.2.840.10045.4.3.3': ecdsa('sha384'),
  '1.2.840.10045.4.3.4': ecdsa('sha512'),
  '1.3.101.112': own('ed25519'),
  '1.3.101.113': own('ed448'),
  '2.16.840.1.101.3.4.3.17': own('ml-dsa-44'),
  '2.16.840.1.101.3.4.3.18': own('ml-dsa-65'),
  '2.16.840.1.101.3.4.3.19': own('ml-dsa-87'),
};

const weakSchemes: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'RSA with MD2',
  '1.2.840.113549.1.1.4': 'RSA with MD5',
  '1.2.840.113549.1.1.5': 'RSA with SHA-1',
  '1.2.840.113549.1.1.14': 'RSA with SHA-224',
  '1.2.840.10040.4.3': 'DSA with SHA-1',
  '2.16.840.1.101.3.4.3.1': 'DSA with SHA-224',
  '2.16.840.1.101.3.4.3.2': 'DSA with SHA-256',
  '1.2.840.10045.4.1': 'ECDSA with SHA-1',
  '1.2.840.10045.4.3.1': 'ECDSA with SHA-224',
};

const RSA_PSS = '1.2.840.113549.1.1.10';
const hashes: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** Why a signature isn't relied on, whichever key made it; undefined where it may be. */
export function schemeProblem({
  signatureAlgorithm,
}: Signed): (SignatureVerdict & { problem: string }) | undefined {
  const scheme = schemeOf(signatureAlgorithm);
  return 'status' in scheme ? scheme : undefined;
}

/** Checks a signature. Never throws: what can't be checked is 'bad', 'weak' or 'unsupported'. */
export function verifySignature(signed: Signed, key: () => KeyObject): SignatureVerdict {
  const scheme = schemeOf(signed.signatureAlgorithm);
  if ('status' in scheme) return scheme;
  try {
    return verifyBy(scheme, signed, key());
  } catch {
    return { status: 'unsupported', problem: `${scheme.name}, which this Node can't verify with that key` };
  }
}

function verifyBy(scheme: Scheme, { tbs, signature }: Signed, key: KeyObject): SignatureVerdict {
  if (!scheme.keyTypes.includes(keyTypeOf(key))) return { status: 'bad' };
  const padding =
    scheme.saltLength === undefined
      ? {}
      : { padding: constants().RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltLength };
  return {
    status: verify(scheme.hash, tbs, { key, dsaEncoding: 'der', ...padding }, signature) ? 'good' : 'bad',
  };
}

/** Node 22 verifies by ML-DSA keys without a name for them. */
function keyTypeOf(key: KeyObject): string {
  if (key.asymmetricKeyType !== undefined) return key.asymmetricKeyType;
  const spki = new DerReader(key.export({ type: 'spki', format: 'der' }));
  const { oid } = readAlgorithm(spki.enter(Tag.sequence, 'public key'), 'public key algorithm');
  return schemes[oid]?.keyTypes[0] ?? '';
}

function schemeOf(algorithm: AlgorithmIdentifier): Scheme | (SignatureVerdict & { problem: string }) {
  const { oid } = algorithm;
  if (oid === RSA_PSS) return pssScheme(algorithm);
  const scheme = schemes[oid];
  if (scheme)
    return hasProperParameters(scheme, algorithm)
      ? scheme
      : unsupported(`${scheme.name} with odd parameters`);
  const weak = weakSchemes[oid];
  return weak ? { status: 'weak', problem: weak } : unsupported(`the unknown algorithm ${oid}`);
}

const unsupported = (problem: string): SignatureVerdict & { problem: string } => ({
  status: 'unsupported',
  problem,
});

/**
 * RSA has a NULL; ECDSA, EdDSA and ML-DSA have nothing (RFC 5758 3.2, 8410 3, 9881 2). Old Java and embedded CAs write a
 * NULL for ECDSA too; it says nothing, is signed itself, and OpenSSL and Go read over it.
 */
function hasProperParameters({ hash }: Scheme, algorithm: AlgorithmIdentifier): boolean {
  return hash === null ? algorithm.parameters === undefined : hasNullParameters(algorithm);
}

/** What is left out of the parameters means SHA-1. */
function pssScheme({ parameters }: AlgorithmIdentifier): Scheme | (SignatureVerdict & { problem: string }) {
  try {
    return schemeOfPss(readPssParameters(parameters ?? Buffer.of(0x30, 0x00)));
  } catch {
    return unsupported('RSA-PSS with malformed parameters');
  }
}

function schemeOfPss({
  hash,
  maskHash,
  saltLength,
  trailer,
}: PssParameters): Scheme | (SignatureVerdict & { problem: string }) {
  const name = hashes[hash];
  if (hash === SHA_1 || maskHash === SHA_1) return { status: 'weak', problem: 'RSA-PSS with SHA-1' };
  if (!name || maskHash !== hash || trailer !== 1)
    return unsupported('RSA-PSS with an uncommon choice of hashes');
  return { name: `RSA-PSS with ${name}`, keyTypes: ['rsa', 'rsa-pss'], hash: name, saltLength };
}
