/**
 * The only door from bytes to keys of node:crypto. Node 20 and 22 end the process, with nothing to catch, when they are
 * asked about some malformed keys, so that every key is checked from its bytes before Node sees it. Requests, files
 * and peers' chains come from strangers.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from '../../node/crypto.js';
import { UnusableKeyError } from '../../errors/malformed-der.js';
import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { contextTag, DerReader, Tag } from '../der.js';
import { keyOid } from '../oid.js';
import { privateKeyProblem, readEcPrivateKey } from './private-key-check.js';
import { publicKeyProblem } from './public-key-check.js';

/**
 * A public key from its SubjectPublicKeyInfo (RFC 5280 4.1.2.7), DER.
 * @throws MalformedDerError where it isn't one; UnusableKeyError where its algorithm or curve isn't known, or it is no key of it
 */
export function openPublicKey(spki: Uint8Array): KeyObject {
  const der = asBuffer(spki);
  const reader = new DerReader(der);
  const sequence = reader.enter(Tag.sequence, 'public key');
  reader.finish('public key');
  const algorithm = readAlgorithm(sequence, 'public key algorithm');
  const key = sequence.octetsAsBits('public key bits');
  sequence.finish('public key');
  refuse(publicKeyProblem(algorithm, key));
  return attempt(algorithm, 'public', () => createPublicKey({ key: der, format: 'der', type: 'spki' }));
}

/**
 * A private key that isn't encrypted, DER: PKCS#8 (RFC 5958), SEC1 (RFC 5915) or PKCS#1 (RFC 8017 A.1.2).
 * @throws MalformedDerError as `openPublicKey`
 */
export function openPrivateKey(input: Uint8Array): KeyObject {
  const { algorithm, key, der, type } = readPrivateKeyInfo(asBuffer(input));
  refuse(privateKeyProblem(algorithm, key));
  const opened = attempt(algorithm, 'private', () => createPrivateKey({ key: der, format: 'der', type }));
  if (algorithm.oid === keyOid.ec) refuse(halvesProblem(algorithm, key, opened));
  return opened;
}

/** SubjectPublicKeyInfo of an RSAPublicKey (RFC 8017 A.1.1): the form that PKCS#1 files have. */
export function rsaPublicKeyInfo(key: Uint8Array): Buffer {
  const bits = element(0x03, Buffer.concat([Buffer.of(0), key]));
  return element(0x30, Buffer.concat([RSA_ALGORITHM, bits]));
}

/** The public half of a private key that was opened here. */
export function publicHalf(key: KeyObject): KeyObject {
  return key.type === 'private' ? createPublicKey(key) : key;
}

interface PrivateKeyInfo {
  readonly algorithm: AlgorithmIdentifier;
  readonly key: Buffer;
  readonly der: Buffer;
  readonly type: 'pkcs8' | 'sec1' | 'pkcs1';
}

/** Tells the three forms apart by what follows the version: an algorithm, a private number, or a modulus. */
function readPrivateKeyInfo(der: Buffer): PrivateKeyInfo {
  const reader = new DerReader(der);
  const sequence = reader.enter(Tag.sequence, 'private key');
  reader.finish('private key');
  sequence.smallInteger(1, 'version of the private key');
  if (sequence.has(Tag.integer)) return { algorithm: rsaAlgorithm, key: der, der, type: 'pkcs1' };
  if (sequence.has(Tag.octetString))
    return { algorithm: ecAlgorithm(readEcPrivateKey(der).parameters), key: der, der, type: 'sec1' };
  const algorithm = readAlgorithm(sequence, 'algorithm of the private key');
  const key = sequence.content(Tag.octetString, 'private key');
  for (const tag of [contextTag(0, 'constructed'), contextTag(1, 'primitive')])
    if (sequence.has(tag)) sequence.element('attributes of the private key');
  sequence.finish('private key');
  return { algorithm, key, der, type: 'pkcs8' };
}

const rsaAlgorithm: AlgorithmIdentifier = { oid: keyOid.rsa, parameters: undefined, der: Buffer.alloc(0) };

const ecAlgorithm = (parameters: Buffer | undefined): AlgorithmIdentifier => ({
  oid: keyOid.ec,
  parameters,
  der: Buffer.alloc(0),
});

/** The public half that a file gives is taken on trust by OpenSSL, so that it is compared with the one computed. */
function halvesProblem(algorithm: AlgorithmIdentifier, key: Buffer, opened: KeyObject): string | undefined {
  const { secret, point } = readEcPrivateKey(key);
  if (point === undefined) return undefined;
  const alone = attempt(algorithm, 'private', () =>
    createPrivateKey({ key: sec1(secret, algorithm), format: 'der', type: 'sec1' }),
  );
  const isSame = publicHalf(alone).equals(publicHalf(opened));
  return isSame ? undefined : "the two halves of the private key don't belong together";
}

/** AlgorithmIdentifier of rsaEncryption with its NULL. */
const RSA_ALGORITHM = Buffer.from('300d06092a864886f70d0101010500', 'hex');

function element(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits = length.toString(16);
  const size = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | size.length), size, content]);
}

/** ECPrivateKey without its public half. */
function sec1(secret: Buffer, { parameters = Buffer.alloc(0) }: AlgorithmIdentifier): Buffer {
  const content = Buffer.concat([
    Buffer.of(0x02, 0x01, 0x01, 0x04, secret.length),
    secret,
    Buffer.of(0xa0, parameters.length),
    parameters,
  ]);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}

function attempt(
  algorithm: AlgorithmIdentifier,
  half: 'public' | 'private',
  open: () => KeyObject,
): KeyObject {
  try {
    return open();
  } catch (cause) {
    const name = latticeNames[algorithm.oid];
    if (name !== undefined) throw new LaterNodeError(`the ${half} key`, name, cause);
    const message = `the ${half} key (algorithm ${algorithm.oid}) can't be used by this Node`;
    throw new UnusableKeyError(0, message, { cause });
  }
}

/** A key of an algorithm that some versions of Node know and others don't. */
export class LaterNodeError extends UnusableKeyError {
  constructor(what: string, algorithm: string, cause: unknown) {
    const hint = `Node has ${algorithm} from version 24.6 on.`;
    super(0, `${what} (${algorithm}) can't be used by this version of Node (${process.version})`, {
      cause,
      hint,
      whole: true,
    });
  }
}

const latticeNames: Readonly<Record<string, string>> = {
  [keyOid.mlDsa44]: 'ML-DSA-44',
  [keyOid.mlDsa65]: 'ML-DSA-65',
  [keyOid.mlDsa87]: 'ML-DSA-87',
};

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new UnusableKeyError(0, problem);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
}
