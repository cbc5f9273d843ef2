/** Private keys in PEM: in the clear, or encrypted as OpenSSL encrypts them. */
import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '../../errors/malformed-der.js';
import { openPrivateKey, recheckPrivateKey, unsealPrivateKey } from './open-key.js';

const BLOCK = /-----BEGIN ((?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY)-----([^-]*)-----END \1-----/;

/**
 * The first private key of a PEM text.
 * @throws MalformedDerError for a key that can't be used; Node's own error where it isn't one, or the passphrase doesn't open it
 */
export function openPrivateKeyPem(input: string | Uint8Array, passphrase?: string): KeyObject {
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1');
  const [, label = '', body = ''] = BLOCK.exec(text) ?? [];
  const isClear = label !== '' && label !== 'ENCRYPTED PRIVATE KEY' && !body.includes(':');
  if (isClear) return openPrivateKey(decodeBase64(body));
  return recheckPrivateKey(unsealPrivateKey(input, passphrase));
}

function decodeBase64(body: string): Buffer {
  const compact = body.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact))
    throw new MalformedDerError(0, 'the PEM block of the private key isn’t base64');
  return Buffer.from(compact, 'base64');
}
