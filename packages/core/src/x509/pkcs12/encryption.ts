import { createDecipheriv } from '../../node/crypto.js';
import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { Tag, type DerReader } from '../der.js';
import { readIterations, readKeyDerivation, readSalt } from './key-derivation.js';
import { deriveLegacy, Purpose } from './legacy-derivation.js';
import type { Passphrase } from './passphrase.js';
import { decode, unsupported } from './problem.js';
import type { WorkBudget } from './work-budget.js';

/** A cipher of node:crypto with its key and initialisation vector. */
interface Decryption {
  readonly cipher: string;
  readonly key: Buffer;
  readonly iv: Buffer;
}

interface Cipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}

const PBES2 = '1.2.840.113549.1.5.13';

/** Ciphers under PBES2 (RFC 8018 B.2, RFC 3565). */
const ciphers: Readonly<Record<string, Cipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
};

/** Ciphers of PKCS#12's own (RFC 7292 appendix C) that OpenSSL 3 still has. */
const legacyCiphers: Readonly<Record<string, Cipher>> = {
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
  '1.2.840.113549.1.12.1.4': { name: 'des-ede-cbc', keyBytes: 16, ivBytes: 8 },
};

/** Old algorithms by the names that people can look up. */
const retired: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.5.1': 'pbeWithMD2AndDES-CBC',
  '1.2.840.113549.1.5.3': 'pbeWithMD5AndDES-CBC',
  '1.2.840.113549.1.5.6': 'pbeWithMD5AndRC2-CBC',
  '1.2.840.113549.1.5.10': 'pbeWithSHA1AndDES-CBC',
  '1.2.840.113549.1.5.11': 'pbeWithSHA1AndRC2-CBC',
  '1.2.840.113549.1.12.1.1': 'pbeWithSHAAnd128BitRC4',
  '1.2.840.113549.1.12.1.2': 'pbeWithSHAAnd40BitRC4',
  '1.2.840.113549.1.12.1.5': 'pbeWithSHAAnd128BitRC2-CBC',
  '1.2.840.113549.1.12.1.6': 'pbeWithSHAAnd40BitRC2-CBC',
};

/**
 * Decrypts DER; undefined where what comes out is none, so that the passphrase isn't the one it was encrypted with.
 * @throws CredentialsError 'garbage' or 'unsupported'
 */
export function decryptDer(
  algorithm: AlgorithmIdentifier,
  encrypted: Buffer,
  passphrase: Passphrase,
  budget: WorkBudget,
): Buffer | undefined {
  const plain = decipher(readDecryption(algorithm, passphrase, budget), encrypted);
  return plain !== undefined && isOneSequence(plain) ? plain : undefined;
}

function readDecryption(
  algorithm: AlgorithmIdentifier,
  passphrase: Passphrase,
  budget: WorkBudget,
): Decryption {
  const { oid, parameters = Buffer.alloc(0) } = algorithm;
  const legacy = legacyCiphers[oid];
  if (oid !== PBES2 && legacy === undefined)
    throw unsupported(`is encrypted with ${retired[oid] ?? `the algorithm ${oid}`}, which isn’t read here`);
  return decode(parameters, 'encryption parameters', (reader) => {
    const inner = reader.enter(Tag.sequence, 'encryption parameters');
    const decryption = legacy
      ? readLegacy(legacy, inner, passphrase, budget)
      : readPbes2(inner, passphrase, budget);
    inner.finish('encryption parameters');
    return decryption;
  });
}

function readLegacy(cipher: Cipher, reader: DerReader, { bmp }: Passphrase, budget: WorkBudget): Decryption {
  const parameters = { hash: 'sha1', salt: readSalt(reader), iterations: readIterations(reader) } as const;
  return {
    cipher: cipher.name,
    key: deriveLegacy(parameters, Purpose.key, bmp, cipher.keyBytes, budget),
    iv: deriveLegacy(parameters, Purpose.iv, bmp, cipher.ivBytes, budget),
  };
}

function readPbes2(reader: DerReader, { utf8 }: Passphrase, budget: WorkBudget): Decryption {
  const derivation = readKeyDerivation(readAlgorithm(reader, 'key derivation'));
  const { oid, parameters = Buffer.alloc(0) } = readAlgorithm(reader, 'cipher');
  const cipher = ciphers[oid];
  if (cipher === undefined) throw unsupported(`is encrypted with the cipher ${oid}, which isn’t read here`);
  const { name, keyBytes, ivBytes } = cipher;
  const iv = decode(parameters, 'initialisation vector', (inner) =>
    inner.content(Tag.octetString, 'initialisation vector'),
  );
  if (iv.length !== ivBytes)
    reader.fail(`initialisation vector has ${iv.length} bytes instead of ${ivBytes}`);
  if ((derivation.keyLength ?? keyBytes) !== keyBytes)
    reader.fail(`key length is ${derivation.keyLength} bytes, of which ${name} needs ${keyBytes}`);
  return { cipher: name, key: derivation.derive(utf8, keyBytes, budget), iv };
}

/** Undefined where the padding is wrong. */
function decipher({ cipher, key, iv }: Decryption, encrypted: Buffer): Buffer | undefined {
  const decryption = startDecryption(cipher, key, iv);
  try {
    return Buffer.concat([decryption.update(encrypted), decryption.final()]);
  } catch {
    return undefined;
  }
}

function startDecryption(cipher: string, key: Buffer, iv: Buffer): ReturnType<typeof createDecipheriv> {
  try {
    return createDecipheriv(cipher, key, iv);
  } catch (cause) {
    throw unsupported(`is encrypted with ${cipher}, which this Node doesn’t offer`, { cause });
  }
}

/** One padding in 256 is right by chance; that the bytes also make up one SEQUENCE is not. */
function isOneSequence(bytes: Buffer): boolean {
  const [tag, first = 0] = bytes;
  if (tag !== Tag.sequence) return false;
  if (first <= 0x80) return first === 0x80 || bytes.length === 2 + first;
  const size = first & 0x7f;
  return size <= 4 && bytes.length > 2 + size && bytes.length === 2 + size + bytes.readUIntBE(2, size);
}
