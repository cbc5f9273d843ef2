/** PuTTY's key files (.ppk), versions 2 and 3: RSA, ECDSA, Ed25519 and Ed448, with a passphrase or without. */
import type { KeyObject } from 'node:crypto';
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from '../../node/crypto.js';
import { argon2, argon2Cost, type Argon2Parameters } from '../encryption/argon2.js';
import type { Opening } from '../encryption/derivation.js';
import { malformed, unsupported, wrongPassphrase } from '../encryption/problem.js';
import type { WorkBudget } from '../encryption/work-budget.js';
import { edwardsKey } from './key-numbers.js';
import { sshEcKey, SshReader, sshRsaKey, sshString } from './ssh-parts.js';

const FIRST_LINE = /^PuTTY-User-Key-File-(\d+): *(\S+)/;
const variants = { Argon2d: 'argon2d', Argon2i: 'argon2i', Argon2id: 'argon2id' } as const;
/** KiB; PuTTY's default is 8 MiB. */
const MOST_MEMORY = 256 * 1024;

interface PuttyFile {
  readonly version: 2 | 3;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isLocked: boolean;
  readonly publicBlob: Buffer;
  readonly privateBlob: Buffer;
}

/** How the private half is decrypted, and proved to be what was written. */
interface Secrets {
  readonly cipher: { readonly key: Buffer; readonly iv: Buffer } | undefined;
  readonly mac: Buffer;
}

/** @throws FileProblem */
export function* openPuttyKey(
  text: string,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<KeyObject> {
  const file = readFile(text);
  const { isLocked, type, publicBlob } = file;
  if (isLocked && passphrase === undefined)
    throw wrongPassphrase('is locked with a passphrase, and none was given');
  const secrets =
    file.version === 3 ? yield* newSecrets(file, passphrase, budget) : oldSecrets(file, passphrase);
  const plain = secrets.cipher === undefined ? file.privateBlob : decrypt(secrets.cipher, file.privateBlob);
  const { Encryption: encryption = '', Comment: comment = '', 'Private-MAC': mac = '' } = file.headers;
  const covered = [type, encryption, comment].map((part) => Buffer.from(part, 'utf8'));
  const data = Buffer.concat([...covered, publicBlob, plain].map(sshString));
  const made = createHmac(file.version === 3 ? 'sha256' : 'sha1', secrets.mac)
    .update(data)
    .digest();
  const said = Buffer.from(mac, 'hex');
  if (said.length !== made.length || !timingSafeEqual(said, made))
    throw isLocked
      ? wrongPassphrase("isn't opened by the passphrase, or was changed after it was made")
      : malformed('is a PuTTY key that was changed after it was made');
  return readKey(type, new SshReader(publicBlob), new SshReader(plain));
}

/** Lines of `Name: value`; two of them say how many lines of base64 follow. */
function readFile(text: string): PuttyFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const [, version = '', type = ''] = FIRST_LINE.exec(lines[0] ?? '') ?? [];
  if (version !== '2' && version !== '3')
    throw unsupported(`is a PuTTY key of version ${version}, which isn't read here`, {
      hint: 'puttygen FILE -o NEW --ppk-param version=2 makes it one that is.',
    });
  const headers: Record<string, string> = {};
  const blobs: Record<string, Buffer> = {};
  for (let at = 1; at < lines.length; at += 1) {
    const [, name = '', value = ''] = /^([\w-]+): ?(.*)$/.exec(lines[at] ?? '') ?? [];
    headers[name] = value;
    if (!name.endsWith('-Lines')) continue;
    const count = Number(value);
    if (!Number.isInteger(count) || count > lines.length - at) throw malformed('is a PuTTY key cut short');
    blobs[name] = Buffer.from(lines.slice(at + 1, at + 1 + count).join(''), 'base64');
    at += count;
  }
  const { 'Public-Lines': publicBlob, 'Private-Lines': privateBlob } = blobs;
  if (publicBlob === undefined || privateBlob === undefined) throw malformed('is a PuTTY key cut short');
  const { Encryption: encryption = '' } = headers;
  if (encryption !== 'none' && encryption !== 'aes256-cbc')
    throw unsupported(`is a PuTTY key encrypted with ${encryption}, which isn't read here`);
  return {
    version: version === '2' ? 2 : 3,
    type,
    headers,
    isLocked: encryption !== 'none',
    publicBlob,
    privateBlob,
  };
}

/** Version 2: SHA-1 of the passphrase, no vector. */
function oldSecrets({ isLocked }: PuttyFile, passphrase = ''): Secrets {
  const secret = Buffer.from(isLocked ? passphrase : '', 'utf8');
  const sha1 = (...parts: readonly Uint8Array[]): Buffer =>
    createHash('sha1').update(Buffer.concat(parts)).digest();
  const mac = sha1(Buffer.from('putty-private-key-file-mac-key'), secret);
  if (!isLocked) return { cipher: undefined, mac };
  const key = Buffer.concat([0, 1].map((count) => sha1(Buffer.of(0, 0, 0, count), secret))).subarray(0, 32);
  return { cipher: { key, iv: Buffer.alloc(16) }, mac };
}

/** Version 3: key, vector and the MAC's key by Argon2. */
function* newSecrets(
  { isLocked, headers }: PuttyFile,
  passphrase = '',
  budget: WorkBudget,
): Opening<Secrets> {
  if (!isLocked) return { cipher: undefined, mac: Buffer.alloc(0) };
  const variant = variants[headers['Key-Derivation'] as keyof typeof variants] as
    (typeof variants)[keyof typeof variants] | undefined;
  const [memory, passes, parallelism] = ['Memory', 'Passes', 'Parallelism'].map((name) =>
    Number(headers[`Argon2-${name}`]),
  ) as [number, number, number];
  if (
    variant === undefined ||
    ![memory, passes, parallelism].every((count) => Number.isInteger(count) && count > 0)
  )
    throw malformed('is a PuTTY key with a damaged key derivation');
  if (memory > MOST_MEMORY)
    throw unsupported(
      `asks for ${memory.toLocaleString('en')} KiB of memory to be opened, over the limit of ${MOST_MEMORY.toLocaleString('en')}`,
    );
  const salt = Buffer.from(headers['Argon2-Salt'] ?? '', 'hex');
  const secret = Buffer.from(passphrase, 'utf8');
  const costs = { memory, passes, parallelism };
  const asked: Argon2Parameters = { message: secret, nonce: salt, tagLength: 80, ...costs };
  budget.spend(argon2Cost(asked));
  const all = yield { kind: 'own', derive: () => argon2(variant, asked) };
  return { cipher: { key: all.subarray(0, 32), iv: all.subarray(32, 48) }, mac: all.subarray(48) };
}

function decrypt({ key, iv }: NonNullable<Secrets['cipher']>, encrypted: Buffer): Buffer {
  if (encrypted.length % 16 !== 0) throw malformed('is a PuTTY key cut short');
  const decryption = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  return Buffer.concat([decryption.update(encrypted), decryption.final()]);
}

function readKey(type: string, open: SshReader, secret: SshReader): KeyObject {
  if (open.text() !== type) throw malformed('is a PuTTY key whose two halves name different algorithms');
  switch (type) {
    case 'ssh-ed25519':
      return edwardsKey('Ed25519', filled(secret.string(), 32));
    case 'ssh-ed448':
      return edwardsKey('Ed448', filled(secret.string(), 57));
    case 'ssh-rsa': {
      const [e, n] = [open.integer(), open.integer()];
      const [d, p, q, qi] = [secret.integer(), secret.integer(), secret.integer(), secret.integer()];
      return sshRsaKey({ n, e, d, p, q, qi });
    }
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return sshEcKey(open.text(), open.string(), secret.integer());
    default:
      throw unsupported(`is a PuTTY key of the kind ${type}, which TLS doesn't use`);
  }
}

/** A secret is written as a number, low byte first, without the zeros at its end. */
const filled = (secret: Buffer, length: number): Buffer =>
  Buffer.concat([secret, Buffer.alloc(Math.max(0, length - secret.length))]);
