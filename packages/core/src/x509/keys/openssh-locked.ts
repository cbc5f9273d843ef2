/** Keys of OpenSSH with a passphrase. */
import type { DecipherGCM, KeyObject } from 'node:crypto';
import { createDecipheriv } from '../../node/crypto.js';
import {
  bcryptPbkdf,
  bcryptRounds,
  COST_OF_BCRYPT,
  type BcryptParameters,
} from '../encryption/bcrypt-pbkdf.js';
import { inTurns, type Opening } from '../encryption/derivation.js';
import { malformed, unsupported, wrongPassphrase } from '../encryption/problem.js';
import type { WorkBudget } from '../encryption/work-budget.js';
import { readOpenSshContent, readOpenSshEnvelope, type OpenSshEnvelope } from './openssh-key.js';
import { SshReader } from './ssh-parts.js';

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

/** @throws FileProblem */
export function* openLockedOpenSshKey(
  bytes: Buffer,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<KeyObject> {
  const content = yield* decrypt(readOpenSshEnvelope(bytes), passphrase, budget);
  const key = readOpenSshContent(content);
  if (key === undefined) throw wrongPassphrase("isn't opened by the passphrase");
  return key;
}

function* decrypt(
  { cipher, derivation, parameters, content, tag }: OpenSshEnvelope,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<Buffer> {
  const [name, keyBytes, ivBytes] = ciphers[cipher] ?? refuse(`with ${cipher}`);
  if (derivation !== 'bcrypt') refuse(`by the key derivation ${derivation}`);
  if (passphrase === undefined) throw wrongPassphrase('is locked with a passphrase, and none was given');
  const reader = new SshReader(parameters);
  const [salt, iterations] = [reader.string(), reader.number()];
  if (iterations === 0 || salt.length === 0)
    throw malformed('is an OpenSSH key with a damaged key derivation');
  const secret = Buffer.from(passphrase, 'utf8');
  const asked: BcryptParameters = { passphrase: secret, salt, iterations, length: keyBytes + ivBytes };
  budget.spend(bcryptRounds(asked) * COST_OF_BCRYPT);
  const both = yield { kind: 'own', derive: () => inTurns(bcryptPbkdf(asked)) };
  return decipher(name, both.subarray(0, keyBytes), both.subarray(keyBytes), content, tag);
}

function decipher(name: string, key: Buffer, iv: Buffer, content: Buffer, tag: Buffer): Buffer {
  const decryption = createDecipheriv(name, key, iv).setAutoPadding(false);
  if (tag.length > 0) (decryption as DecipherGCM).setAuthTag(tag);
  try {
    return Buffer.concat([decryption.update(content), decryption.final()]);
  } catch (cause) {
    throw tag.length > 0
      ? wrongPassphrase("isn't opened by the passphrase")
      : malformed('is an OpenSSH key of a damaged length', cause);
  }
}

function refuse(how: string): never {
  throw unsupported(`is an OpenSSH key encrypted ${how}, which isn't read here`, { hint: OTHER_CIPHER });
}
