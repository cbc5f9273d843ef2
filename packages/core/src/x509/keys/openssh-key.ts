/** OpenSSH's own format (PROTOCOL.key): RSA, ECDSA and Ed25519, with a passphrase or without. */
import type { KeyObject } from 'node:crypto';
import { createDecipheriv } from '../../node/crypto.js';
import { bcryptRounds, COST_OF_BCRYPT, type BcryptDerivation } from '../encryption/bcrypt-pbkdf.js';
import type { Opening } from '../encryption/derivation.js';
import { garbage, unsupported, wrongPassphrase } from '../encryption/problem.js';
import type { WorkBudget } from '../encryption/work-budget.js';
import { edwardsKey } from './key-numbers.js';
import { sshEcKey, SshReader, sshRsaKey } from './ssh-parts.js';

const MAGIC = 'openssh-key-v1\0';
const OTHER_CIPHER = 'ssh-keygen -p -Z aes256-ctr -f COPY encrypts a copy of it in the usual way.';

/** OpenSSH's names, with Node's, and the length of key and vector in bytes. */
const ciphers: Readonly<Record<string, readonly [name: string, key: number, iv: number]>> = {
  'aes256-ctr': ['aes-256-ctr', 32, 16],
  'aes192-ctr': ['aes-192-ctr', 24, 16],
  'aes128-ctr': ['aes-128-ctr', 16, 16],
  'aes256-cbc': ['aes-256-cbc', 32, 16],
  'aes192-cbc': ['aes-192-cbc', 24, 16],
  'aes128-cbc': ['aes-128-cbc', 16, 16],
  '3des-cbc': ['des-ede3-cbc', 24, 8],
  'aes256-gcm@openssh.com': ['aes-256-gcm', 32, 12],
  'aes128-gcm@openssh.com': ['aes-128-gcm', 16, 12],
};

interface Envelope {
  readonly cipher: string;
  readonly derivation: string;
  readonly parameters: Buffer;
  readonly content: Buffer;
  /** Of the ciphers that authenticate, 16 bytes. */
  readonly tag: Buffer;
}

/** Whether a key needs a passphrase. @throws FileProblem 'garbage' */
export const isLockedOpenSshKey = (bytes: Buffer): boolean => readEnvelope(bytes).cipher !== 'none';

/** @throws FileProblem */
export function* openOpenSshKey(
  bytes: Buffer,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<KeyObject> {
  const envelope = readEnvelope(bytes);
  const isLocked = envelope.cipher !== 'none';
  const inner = new SshReader(isLocked ? yield* decrypt(envelope, passphrase, budget) : envelope.content);
  if (inner.number() !== inner.number())
    throw isLocked
      ? wrongPassphrase('isn’t opened by the passphrase')
      : garbage('is an OpenSSH key whose check numbers differ');
  return readKey(inner);
}

function readEnvelope(bytes: Buffer): Envelope {
  const reader = new SshReader(bytes);
  if (reader.fixed(MAGIC.length).toString('latin1') !== MAGIC)
    throw garbage('isn’t in OpenSSH’s format, as it says');
  const [cipher, derivation, parameters] = [reader.text(), reader.text(), reader.string()];
  if (reader.number() !== 1) throw garbage('holds several OpenSSH keys');
  reader.string();
  const content = reader.string();
  const tag = cipher.includes('-gcm@') ? reader.fixed(16) : Buffer.alloc(0);
  return { cipher, derivation, parameters, content, tag };
}

function* decrypt(
  { cipher, derivation, parameters, content, tag }: Envelope,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<Buffer> {
  const [name, keyBytes, ivBytes] = ciphers[cipher] ?? refuse(`with ${cipher}`);
  if (derivation !== 'bcrypt') refuse(`by the key derivation ${derivation}`);
  if (passphrase === undefined) throw wrongPassphrase('is locked with a passphrase, and none was given');
  const reader = new SshReader(parameters);
  const [salt, iterations] = [reader.string(), reader.number()];
  if (iterations === 0 || salt.length === 0) throw garbage('is an OpenSSH key with a damaged key derivation');
  const length = keyBytes + ivBytes;
  const asked: BcryptDerivation = {
    kind: 'bcrypt',
    passphrase: Buffer.from(passphrase, 'utf8'),
    salt,
    iterations,
    length,
  };
  budget.spend(bcryptRounds(asked) * COST_OF_BCRYPT);
  const both = yield asked;
  return decipher(name, both.subarray(0, keyBytes), both.subarray(keyBytes), content, tag);
}

function decipher(name: string, key: Buffer, iv: Buffer, content: Buffer, tag: Buffer): Buffer {
  const decryption = createDecipheriv(name, key, iv).setAutoPadding(false);
  if (tag.length > 0) (decryption as import('node:crypto').DecipherGCM).setAuthTag(tag);
  try {
    return Buffer.concat([decryption.update(content), decryption.final()]);
  } catch (cause) {
    throw tag.length > 0
      ? wrongPassphrase('isn’t opened by the passphrase')
      : garbage('is an OpenSSH key of a damaged length', cause);
  }
}

function refuse(how: string): never {
  throw unsupported(`is an OpenSSH key encrypted ${how}, which isn’t read here`, { hint: OTHER_CIPHER });
}

function readKey(inner: SshReader): KeyObject {
  const type = inner.text();
  switch (type) {
    case 'ssh-ed25519': {
      inner.string();
      return edwardsKey('Ed25519', inner.string().subarray(0, 32));
    }
    case 'ssh-rsa': {
      const numbers = Array.from({ length: 6 }, () => inner.integer());
      const [n, e, d, qi, p, q] = numbers as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
      return sshRsaKey({ n, e, d, p, q, qi });
    }
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return sshEcKey(inner.text(), inner.string(), inner.integer());
    default:
      throw unsupported(`is an OpenSSH key of the kind ${type}, which TLS doesn’t use`);
  }
}
