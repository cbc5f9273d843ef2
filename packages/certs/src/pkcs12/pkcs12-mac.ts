/** Writes the outermost layer of a PKCS#12 file: its contents with a MAC over them (RFC 7292 §4). */
import { createHmac, randomBytes } from 'node:crypto';
import { pkcs12MacKey } from '@knsock/core/x509';
import { DATA } from './pkcs12-content.js';
import { arrayBufferOf, type Pkcs12Library } from '../x509.js';

const SHA256 = '2.16.840.1.101.3.4.2.1';

/** Adds the MAC and returns the whole file. */
export async function addMac(
  library: Pkcs12Library,
  safe: Buffer,
  passphrase: string,
  iterations: number,
): Promise<Buffer> {
  const salt = randomBytes(16);
  const macData = new library.MacData();
  macData.macSalt = new library.OctetString(salt);
  macData.iterations = iterations;
  macData.mac.digestAlgorithm = new library.AlgorithmIdentifier({ algorithm: SHA256, parameters: null });
  const key = await pkcs12MacKey(passphrase, salt, iterations);
  const digest = createHmac('sha256', key).update(safe).digest();
  macData.mac.digest = new library.OctetString(arrayBufferOf(digest));
  const content = arrayBufferOf(library.encode(new library.OctetString(arrayBufferOf(safe))));
  const authSafe = new library.ContentInfo({ contentType: DATA, content });
  return library.encode(new library.PFX({ version: 3, authSafe, macData }));
}
