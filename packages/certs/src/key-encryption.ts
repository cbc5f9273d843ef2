/** Private keys behind a passphrase: PKCS#8 with PBES2 (RFC 8018), AES-256-CBC. */
import { createPrivateKey } from 'node:crypto';

/** Encrypts a private key; both sides are PEM. */
export function encryptKey(key: string, passphrase: string): Promise<string> {
  const cipher = 'aes-256-cbc';
  return Promise.resolve(
    createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher, passphrase }).toString(),
  );
}
