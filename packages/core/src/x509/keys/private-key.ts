/**
 * Private keys, whatever program wrote them: PKCS#8, encrypted or not, PKCS#1, SEC1 and OpenSSL's old encryption as PEM,
 * the same as DER or base64, JSON Web Keys, OpenSSH's format and PuTTY's. What can't be opened is named.
 */
import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { createHash } from '../../node/crypto.js';
import { readAlgorithm } from '../algorithm.js';
import { Tag } from '../der.js';
import { openAtOnce, openOffThread, type Opening } from '../encryption/derivation.js';
import { decipherBlocks, decryptDer } from '../encryption/encryption.js';
import { passphraseForms } from '../encryption/passphrase.js';
import {
  asCredentialsError,
  decode,
  FileProblem,
  malformed,
  unsupported,
  wrongPassphrase,
} from '../encryption/problem.js';
import { WorkBudget } from '../encryption/work-budget.js';
import { kindOfDer } from '../formats/der-kind.js';
import { describeContent } from '../formats/describe.js';
import { isLockedPuttyKey, isPuttyKey } from '../formats/other-kinds.js';
import { withoutPadding } from '../formats/padding.js';
import { bareBase64, textOf } from '../formats/text.js';
import { splitPem, type PemBlock } from '../pem.js';
import type * as OtherFormats from '../other-formats.js';
import { readJwk } from './jwk.js';
import { isLockedOpenSshKey, readOpenSshKey } from './openssh-key.js';
import { readPkcs8, readPlainKey } from './pkcs8.js';

type Input = string | Uint8Array;

const SUBJECT = 'the private key';
const LABEL = /PRIVATE KEY$/;
const OPENSSH = 'OPENSSH PRIVATE KEY';
const NOT_GIVEN = 'is locked with a passphrase, and none was given';
const WRONG = "isn't opened by the passphrase";

/**
 * Reads a private key; of several in a PEM text the first. Up to 4 million rounds of key derivation are accepted, which
 * keep the calling thread busy. Locked keys of OpenSSH, and PuTTY's, are read by `readPrivateKeyOffThread` alone.
 * @throws CredentialsError 'passphrase', 'malformed' or 'unsupported', saying what the input is instead of a key
 */
export function readPrivateKey(input: Input, passphrase?: string, subject = SUBJECT): KeyObject {
  try {
    return openAtOnce(open(input, passphrase, { budget: new WorkBudget('at-once'), others: undefined }));
  } catch (error) {
    throw asCredentialsError(subject, error);
  }
}

/** As `readPrivateKey`, with up to 8 million rounds of key derivation off the main thread. */
export async function readPrivateKeyOffThread(
  input: Input,
  passphrase?: string,
  subject = SUBJECT,
): Promise<KeyObject> {
  try {
    const others = isOther(input) ? await import('../other-formats.js') : undefined;
    return await openOffThread(open(input, passphrase, { budget: new WorkBudget('off-thread'), others }));
  } catch (error) {
    throw asCredentialsError(subject, error);
  }
}

/** Whether a private key is locked with a passphrase; nothing is opened. @throws CredentialsError 'malformed' where that can't be seen */
export function isEncryptedKey(input: Input): boolean {
  try {
    return needsPassphrase(input);
  } catch (error) {
    throw asCredentialsError(SUBJECT, error);
  }
}

function needsPassphrase(input: Input): boolean {
  const der = derOf(input);
  if (der !== undefined) return kindOfDer(der) === 'encrypted private key';
  const text = textOf(input);
  if (text !== undefined && isPuttyKey(text)) return isLockedPuttyKey(text);
  const block = keyBlockOf(input);
  return block !== undefined && isLockedBlock(block);
}

function isLockedBlock(block: PemBlock): boolean {
  if (block.label === OPENSSH) return isLockedOpenSshKey(derOfBlock(block));
  return block.label === 'ENCRYPTED PRIVATE KEY' || isOldEncryption(block);
}

/** What a reading may use. */
interface Means {
  readonly budget: WorkBudget;
  /** Where there is time to load them. */
  readonly others: typeof OtherFormats | undefined;
}

function isOther(input: Input): boolean {
  const text = textOf(input);
  return text !== undefined && (isPuttyKey(text) || text.includes(OPENSSH));
}

function onlyOffThread(what: string): FileProblem {
  return unsupported(`is ${what}, which is read off the main thread only`, {
    hint: 'Load it by loadCredentials, or convert it: knsock certs convert FILE --to pem.',
  });
}

function* open(input: Input, passphrase: string | undefined, means: Means): Opening<KeyObject> {
  const text = textOf(input);
  if (text !== undefined && /^\s*\{/.test(text) && /"kty"\s*:/.test(text)) return readJwk(text);
  if (text !== undefined && isPuttyKey(text)) {
    if (means.others === undefined) throw onlyOffThread('a PuTTY key');
    return yield* means.others.openPuttyKey(text, passphrase, means.budget);
  }
  const der = derOf(input);
  if (der !== undefined) return yield* openDer(der, input, passphrase, means.budget);
  const block = keyBlockOf(input);
  if (block === undefined) throw notAKey(input);
  return yield* openBlock(block, input, passphrase, means);
}

function* openBlock(
  block: PemBlock,
  input: Input,
  passphrase: string | undefined,
  means: Means,
): Opening<KeyObject> {
  const der = derOfBlock(block);
  if (block.label === OPENSSH) {
    if (!isLockedOpenSshKey(der)) return readOpenSshKey(der);
    if (means.others === undefined) throw onlyOffThread('an OpenSSH key with a passphrase');
    return yield* means.others.openLockedOpenSshKey(der, passphrase, means.budget);
  }
  if (isOldEncryption(block)) return openOldEncryption(block, der, passphrase);
  return yield* openDer(withoutPadding(der), input, passphrase, means.budget);
}

function* openDer(
  der: Buffer,
  input: Input,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<KeyObject> {
  switch (kindOfDer(der)) {
    case 'private key':
      return readPkcs8(der, 'is one');
    case 'PKCS#1 key':
    case 'SEC1 key':
      return readPlainKey(der, 'is one');
    case 'encrypted private key':
      return readPkcs8(yield* decrypt(der, passphrase, budget), 'is one');
    default:
      throw typeof input !== 'string' && input[0] === 0x30 ? notAKey(input) : malformed("isn't DER of a key");
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958 3). */
function* decrypt(der: Buffer, passphrase: string | undefined, budget: WorkBudget): Opening<Buffer> {
  const { algorithm, encrypted } = decode(der, 'encrypted key', (reader) => {
    const info = reader.enter(Tag.sequence, 'encrypted key');
    const found = {
      algorithm: readAlgorithm(info, 'encryption of the key'),
      encrypted: info.content(Tag.octetString, 'encrypted key'),
    };
    info.finish('encrypted key');
    return found;
  });
  if (passphrase === undefined) throw wrongPassphrase(NOT_GIVEN);
  const plain = yield* decryptDer(algorithm, encrypted, passphraseForms(passphrase)[0], budget);
  if (plain === undefined) throw wrongPassphrase(WRONG);
  return plain;
}

const isOldEncryption = ({ headers }: PemBlock): boolean =>
  headers['Proc-Type']?.includes('ENCRYPTED') === true;

/** Ciphers of OpenSSL's old way by their names in DEK-Info, with the length of their keys in bytes. */
const oldCiphers: Readonly<Record<string, readonly [name: string, keyBytes: number]>> = {
  'DES-CBC': ['des', 8],
  'DES-EDE3-CBC': ['des-ede3-cbc', 24],
  'DES-EDE-CBC': ['des-ede-cbc', 16],
  'RC2-CBC': ['rc2', 16],
  'RC2-64-CBC': ['rc2', 8],
  'RC2-40-CBC': ['rc2', 5],
  ...Object.fromEntries(
    ['AES', 'CAMELLIA', 'ARIA'].flatMap((family) =>
      [128, 192, 256].map((bits) => {
        const name = `${family}-${bits}-CBC`;
        return [name, [name.toLowerCase(), bits / 8]] as const;
      }),
    ),
  ),
};

/** The key comes from one round of MD5 (EVP_BytesToKey), salted with the start of the vector (RFC 1421 4.6.1.3). */
function openOldEncryption(block: PemBlock, encrypted: Buffer, passphrase: string | undefined): KeyObject {
  const [name = '', vector = ''] = (block.headers['DEK-Info'] ?? '').split(',');
  const cipher = oldCiphers[name.toUpperCase()];
  const iv = Buffer.from(vector, 'hex');
  if (cipher === undefined)
    throw unsupported(
      `is encrypted with ${name === '' ? "a cipher that it doesn't name" : name}, which isn't read here`,
      {
        hint: 'openssl pkcs8 -topk8 of the OpenSSL that wrote it makes it PKCS#8, which is read everywhere.',
      },
    );
  if (passphrase === undefined) throw wrongPassphrase(NOT_GIVEN);
  if (iv.length < 8) throw malformed('has no initialisation vector in its DEK-Info line');
  const [algorithm, keyBytes] = cipher;
  const key = bytesToKey(Buffer.from(passphrase, 'utf8'), iv.subarray(0, 8), keyBytes);
  const plain = decipherBlocks(algorithm, key, iv, encrypted);
  const kind = plain && kindOfDer(plain);
  if (plain === undefined || kind === undefined) throw wrongPassphrase(WRONG);
  if (kind === 'private key') return readPkcs8(plain, 'is one');
  if (kind !== 'PKCS#1 key' && kind !== 'SEC1 key') throw wrongPassphrase(WRONG);
  return readPlainKey(plain, 'is one');
}

function bytesToKey(passphrase: Buffer, salt: Buffer, length: number): Buffer {
  let key = Buffer.alloc(0);
  for (let last = Buffer.alloc(0); key.length < length; key = Buffer.concat([key, last]))
    last = createHash('md5').update(last).update(passphrase).update(salt).digest();
  return key.subarray(0, length);
}

/** The DER of an input that is DER, or base64 of it and nothing else. */
function derOf(input: Input): Buffer | undefined {
  const text = textOf(input);
  if (text !== undefined) {
    const der = text.includes('-----BEGIN ') ? undefined : bareBase64(text);
    return der === undefined || !isKeyKind(kindOfDer(der)) ? undefined : withoutPadding(der);
  }
  const bytes = Buffer.from(input as Uint8Array);
  return bytes[0] === Tag.sequence && isKeyKind(kindOfDer(bytes)) ? withoutPadding(bytes) : undefined;
}

function isKeyKind(kind: string | undefined): boolean {
  return (
    kind === 'encrypted private key' || kind === 'private key' || kind === 'PKCS#1 key' || kind === 'SEC1 key'
  );
}

function keyBlockOf(input: Input): PemBlock | undefined {
  const text = textOf(input);
  if (text?.includes('-----BEGIN ') !== true) return undefined;
  try {
    return splitPem(text).find(({ label }) => LABEL.test(label));
  } catch (error) {
    throw asProblem(error);
  }
}

function derOfBlock(block: PemBlock): Buffer {
  try {
    return block.der;
  } catch (error) {
    throw asProblem(error);
  }
}

function asProblem(error: unknown): unknown {
  return error instanceof MalformedDerError ? malformed(`can't be read: ${error.message}`, error) : error;
}

function notAKey(input: Input): FileProblem {
  const { what, advice } = describeContent(input, 'private key');
  return new FileProblem('malformed', `can't be read: ${what}`, { hint: advice });
}
