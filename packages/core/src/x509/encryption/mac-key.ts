import { openOffThread, type Opening } from './derivation.js';
import { Purpose } from './legacy-derivation.js';
import { passphraseForms } from './passphrase.js';

/** The key of a PKCS#12 file's MAC with SHA-256 (RFC 7292 appendix B), for those who write such files; 32 bytes. */
export async function pkcs12MacKey(passphrase: string, salt: Buffer, iterations: number): Promise<Buffer> {
  return await openOffThread(ask(passphraseForms(passphrase)[0].bmp, salt, iterations));
}

function* ask(passphrase: Buffer, salt: Buffer, iterations: number): Opening<Buffer> {
  const [purpose, length] = [Purpose.mac, 32];
  return yield { kind: 'pkcs12', hash: 'sha256', purpose, passphrase, salt, iterations, length };
}
