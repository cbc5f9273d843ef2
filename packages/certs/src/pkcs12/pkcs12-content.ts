/** Writes the layers inside a PKCS#12 file: contents unencrypted or encrypted (RFC 7292 §4, RFC 5652). */
import { encryptByPassphrase } from '../keys/pbe.js';
import { pbeSchema } from '../keys/pbe-schema.js';
import { arrayBufferOf, type Pkcs12Library } from '../x509.js';

/** Unencrypted content. */
export const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';

type ContentInfo = InstanceType<Pkcs12Library['ContentInfo']>;

/** Wraps DER unencrypted. */
export function dataContent(library: Pkcs12Library, der: Buffer): ContentInfo {
  const content = arrayBufferOf(library.encode(new library.OctetString(arrayBufferOf(der))));
  return new library.ContentInfo({ contentType: DATA, content });
}

/** Wraps DER encrypted. */
export async function encryptedContent(
  library: Pkcs12Library,
  der: Buffer,
  passphrase: string,
  iterations: number,
): Promise<ContentInfo> {
  const { algorithm, encrypted } = await encryptByPassphrase(library, der, passphrase, iterations);
  const outer = new (pbeSchema(library).EncryptedContent)();
  outer.info.contentType = DATA;
  outer.info.contentEncryptionAlgorithm = algorithm;
  const value = new library.OctetString(arrayBufferOf(encrypted));
  outer.info.encryptedContent = new library.EncryptedContent({ value });
  return new library.ContentInfo({
    contentType: ENCRYPTED_DATA,
    content: arrayBufferOf(library.encode(outer)),
  });
}
