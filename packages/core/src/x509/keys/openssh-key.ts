/** OpenSSH's own format (PROTOCOL.key): RSA, ECDSA and Ed25519. */
import type { KeyObject } from 'node:crypto';
import { malformed, unsupported } from '../encryption/problem.js';
import { edwardsKey } from './key-numbers.js';
import { sshEcKey, SshReader, sshRsaKey } from './ssh-parts.js';

const MAGIC = 'openssh-key-v1\0';

/** A key and how it is encrypted. */
export interface OpenSshEnvelope {
  readonly cipher: string;
  readonly derivation: string;
  readonly parameters: Buffer;
  readonly content: Buffer;
  /** Of the ciphers that authenticate, 16 bytes. */
  readonly tag: Buffer;
}

/** Whether a key needs a passphrase. @throws FileProblem 'malformed' */
export const isLockedOpenSshKey = (bytes: Buffer): boolean => readOpenSshEnvelope(bytes).cipher !== 'none';

/** A key without a passphrase. @throws FileProblem */
export function readOpenSshKey(bytes: Buffer): KeyObject {
  return (
    readOpenSshContent(readOpenSshEnvelope(bytes).content) ??
    refuse(malformed('is an OpenSSH key whose check numbers differ'))
  );
}

/** The key in what was decrypted; undefined where that shows to be the wrong way. @throws FileProblem */
export function readOpenSshContent(content: Buffer): KeyObject | undefined {
  const inner = new SshReader(content);
  return inner.number() === inner.number() ? readKey(inner) : undefined;
}

/** @throws FileProblem 'malformed' */
export function readOpenSshEnvelope(bytes: Buffer): OpenSshEnvelope {
  const reader = new SshReader(bytes);
  if (reader.fixed(MAGIC.length).toString('latin1') !== MAGIC)
    throw malformed("isn't in OpenSSH's format, as it says");
  const [cipher, derivation, parameters] = [reader.text(), reader.text(), reader.string()];
  if (reader.number() !== 1) throw malformed('holds several OpenSSH keys');
  reader.string();
  const content = reader.string();
  const tag = cipher.includes('-gcm@') ? reader.fixed(16) : Buffer.alloc(0);
  return { cipher, derivation, parameters, content, tag };
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
      throw unsupported(`is an OpenSSH key of the kind ${type}, which TLS doesn't use`);
  }
}

function refuse(problem: Error): never {
  throw problem;
}
