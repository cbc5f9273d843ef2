import { createDecipheriv } from '../../node/crypto.js';
import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { Tag, type DerReader } from '../der.js';
import type { Opening } from './derivation.js';
import { readIterations, readKeyDerivation, readSalt } from './key-derivation.js';
import { COST_OF_ROUND, Purpose, roundsOf, type OldDerivation } from './legacy-derivation.js';
import type { Passphrase } from './passphrase.js';
import { decode, unsupported } from './problem.js';
import { decryptRc2 } from './rc2.js';
import { decryptRc4 } from './rc4.js';
import type { WorkBudget } from './work-budget.js';

interface Cipher {
  /** In OpenSSL's words; `rc2`, `rc4` and `des` are our own names. */
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}

/** A cipher with its key and initialisation vector. */
interface Decryption {
  readonly cipher: Cipher;
  readonly key: Buffer;
  readonly iv: Buffer;
  /** RC2 alone has keys of which fewer bits count. */
  readonly effectiveBits?: number | undefined;
}

/** How something was encrypted, read and checked; nothing was derived yet. */
type Scheme = (passphrase: Passphrase, budget: WorkBudget) => Opening<Decryption>;

const PBES2 = '1.2.840.113549.1.5.13';
const DES: Cipher = { name: 'des', keyBytes: 8, ivBytes: 8 };
const RC2: Cipher = { name: 'rc2', keyBytes: 8, ivBytes: 8 };
const RC2_CBC = '1.2.840.113549.3.2';

/** Ciphers under PBES2 (RFC 8018 B.2, RFC 3565). */
const ciphers: Readonly<Record<string, Cipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
  '1.3.14.3.2.7': DES,
  '1.2.392.200011.61.1.1.1.2': { name: 'camellia-128-cbc', keyBytes: 16, ivBytes: 16 },
  '1.2.392.200011.61.1.1.1.3': { name: 'camellia-192-cbc', keyBytes: 24, ivBytes: 16 },
  '1.2.392.200011.61.1.1.1.4': { name: 'camellia-256-cbc', keyBytes: 32, ivBytes: 16 },
};

/** PKCS#12's own (RFC 7292 appendix C); OpenSSL 3, and Node with it, has put RC2 and RC4 away. */
const pkcs12Ciphers: Readonly<Record<string, Cipher>> = {
  '1.2.840.113549.1.12.1.1': { name: 'rc4', keyBytes: 16, ivBytes: 0 },
  '1.2.840.113549.1.12.1.2': { name: 'rc4', keyBytes: 5, ivBytes: 0 },
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
  '1.2.840.113549.1.12.1.4': { name: 'des-ede-cbc', keyBytes: 16, ivBytes: 8 },
  '1.2.840.113549.1.12.1.5': { name: 'rc2', keyBytes: 16, ivBytes: 8 },
  '1.2.840.113549.1.12.1.6': { name: 'rc2', keyBytes: 5, ivBytes: 8 },
};

/** PKCS#5's first (RFC 8018 A.3). */
const pbes1: Readonly<Record<string, { readonly hash: 'md5' | 'sha1'; readonly cipher: Cipher }>> = {
  '1.2.840.113549.1.5.3': { hash: 'md5', cipher: DES },
  '1.2.840.113549.1.5.6': { hash: 'md5', cipher: RC2 },
  '1.2.840.113549.1.5.10': { hash: 'sha1', cipher: DES },
  '1.2.840.113549.1.5.11': { hash: 'sha1', cipher: RC2 },
};

/** Retired ciphers, by their common names. */
const retired: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.5.1': 'pbeWithMD2AndDES-CBC',
  '1.2.840.113549.1.5.4': 'pbeWithMD2AndRC2-CBC',
  '1.2.840.113549.3.4': 'RC4',
};

/**
 * Decrypts DER; undefined where what comes out is none, so that the passphrase isn't the one it was encrypted with.
 * @throws FileProblem 'malformed' or 'unsupported'
 */
export function* decryptDer(
  algorithm: AlgorithmIdentifier,
  encrypted: Buffer,
  passphrase: Passphrase,
  budget: WorkBudget,
): Opening<Buffer | undefined> {
  const scheme = readScheme(algorithm);
  const plain = decipher(yield* scheme(passphrase, budget), encrypted);
  return plain !== undefined && isOneSequence(plain) ? plain : undefined;
}

/** Decrypts with a key that was derived already; undefined where the padding is wrong. */
export function decipherBlocks(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  return decipher({ cipher: { name, keyBytes: key.length, ivBytes: iv.length }, key, iv }, encrypted);
}

function readScheme({ oid, parameters = Buffer.alloc(0) }: AlgorithmIdentifier): Scheme {
  const [legacy, first] = [pkcs12Ciphers[oid], pbes1[oid]];
  if (oid !== PBES2 && legacy === undefined && first === undefined) throw retiredAlgorithm(oid);
  return decode(parameters, 'encryption parameters', (reader) => {
    const inner = reader.enter(Tag.sequence, 'encryption parameters');
    const scheme =
      legacy !== undefined
        ? readPkcs12(legacy, inner)
        : first !== undefined
          ? readPbes1(first, inner)
          : readPbes2(inner);
    inner.finish('encryption parameters');
    return scheme;
  });
}

function readPkcs12(cipher: Cipher, reader: DerReader): Scheme {
  const [salt, iterations] = [readSalt(reader), readIterations(reader)];
  const part = (purpose: 1 | 2, passphrase: Buffer, length: number): OldDerivation => {
    return { kind: 'pkcs12', hash: 'sha1', purpose, passphrase, salt, iterations, length };
  };
  return function* ({ bmp }, budget) {
    const key = part(Purpose.key, bmp, cipher.keyBytes);
    const iv = part(Purpose.iv, bmp, cipher.ivBytes);
    budget.spend((roundsOf(key) + roundsOf(iv)) * COST_OF_ROUND);
    return { cipher, key: yield key, iv: cipher.ivBytes === 0 ? Buffer.alloc(0) : yield iv };
  };
}

/** One hash gives key and vector, eight bytes each. */
function readPbes1({ hash, cipher }: { hash: 'md5' | 'sha1'; cipher: Cipher }, reader: DerReader): Scheme {
  const [salt, iterations] = [readSalt(reader), readIterations(reader)];
  return function* ({ utf8: passphrase }, budget) {
    budget.spend(iterations * COST_OF_ROUND);
    const both = yield { kind: 'pbkdf1', hash, passphrase, salt, iterations, length: 16 };
    return { cipher, key: both.subarray(0, 8), iv: both.subarray(8) };
  };
}

function readPbes2(reader: DerReader): Scheme {
  const derivation = readKeyDerivation(readAlgorithm(reader, 'key derivation'));
  const algorithm = readAlgorithm(reader, 'cipher');
  const { cipher, iv, effectiveBits } =
    algorithm.oid === RC2_CBC ? readRc2(algorithm, derivation.keyLength) : readCipher(algorithm);
  if (iv.length !== cipher.ivBytes)
    reader.fail(`initialisation vector has ${iv.length} bytes instead of ${cipher.ivBytes}`);
  const { name, keyBytes } = cipher;
  if ((derivation.keyLength ?? keyBytes) !== keyBytes)
    reader.fail(`key length is ${derivation.keyLength} bytes, of which ${name} needs ${keyBytes}`);
  return function* ({ utf8 }, budget) {
    return { cipher, key: yield* derivation.derive(utf8, keyBytes, budget), iv, effectiveBits };
  };
}

interface ReadCipher {
  readonly cipher: Cipher;
  readonly iv: Buffer;
  readonly effectiveBits?: number;
}

function readCipher({ oid, parameters = Buffer.alloc(0) }: AlgorithmIdentifier): ReadCipher {
  const cipher = ciphers[oid];
  if (cipher === undefined) throw retiredAlgorithm(oid);
  const iv = decode(parameters, 'initialisation vector', (inner) =>
    inner.content(Tag.octetString, 'initialisation vector'),
  );
  return { cipher, iv };
}

/** RC2-CBC-Parameter (RFC 8018 B.2.3): a version that stands for the effective bits, and the vector. */
function readRc2({ parameters = Buffer.alloc(0) }: AlgorithmIdentifier, keyLength = 16): ReadCipher {
  return decode(parameters, 'RC2 parameters', (reader) => {
    const inner = reader.enter(Tag.sequence, 'RC2 parameters');
    const version = inner.has(Tag.integer) ? inner.smallInteger(1_024, 'RC2 version') : undefined;
    const iv = inner.content(Tag.octetString, 'initialisation vector');
    inner.finish('RC2 parameters');
    const effectiveBits = version === undefined ? 32 : (effectiveBitsOf[version] ?? version);
    return { cipher: { ...RC2, keyBytes: keyLength }, iv, effectiveBits };
  });
}
const effectiveBitsOf: Readonly<Record<number, number>> = { 160: 40, 120: 64, 58: 128 };

/** Undefined where the padding is wrong. */
function decipher(decryption: Decryption, encrypted: Buffer): Buffer | undefined {
  const { cipher, key, iv } = decryption;
  if (cipher.name === 'rc4') return decryptRc4(key, encrypted);
  if (cipher.name === 'rc2')
    return decryptRc2(key, decryption.effectiveBits ?? key.length * 8, iv, encrypted);
  // Three times the same key makes triple DES the DES that OpenSSL 3 has put away.
  if (cipher.name === 'des') return decipherBy('des-ede3-cbc', Buffer.concat([key, key, key]), iv, encrypted);
  return decipherBy(cipher.name, key, iv, encrypted);
}

function decipherBy(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer | undefined {
  const decryption = startDecryption(name, key, iv);
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
    throw unsupported(`is encrypted with ${cipher}, which this Node doesn't offer`, { cause });
  }
}

function retiredAlgorithm(oid: string): Error {
  return unsupported(`is encrypted with ${retired[oid] ?? `the algorithm ${oid}`}, which isn't read here`, {
    hint: 'Export it again from the program that made it, with AES-256.',
  });
}

/** One padding in 256 is right by chance; that the bytes also make up one SEQUENCE is not. */
function isOneSequence(bytes: Buffer): boolean {
  const [tag, first = 0] = bytes;
  if (tag !== Tag.sequence) return false;
  if (first <= 0x80) return first === 0x80 || bytes.length === 2 + first;
  const size = first & 0x7f;
  return size <= 4 && bytes.length > 2 + size && bytes.length === 2 + size + bytes.readUIntBE(2, size);
}
