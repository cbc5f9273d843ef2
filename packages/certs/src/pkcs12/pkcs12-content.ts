/** The layers inside a PKCS#12 file: contents in the clear or encrypted (RFC 7292 §4, RFC 5652). */
import type { DerivationBudget } from './derivation-budget.js';
import { CertificateError } from '../errors.js';
import { decryptByPassphrase, encryptByPassphrase } from './pbe.js';
import { pbeSchema } from './pbe-schema.js';
import { arrayBufferOf, type Pkcs12Library } from '../x509.js';

/** Content in the clear. */
export const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';

type ContentInfo = InstanceType<Pkcs12Library['ContentInfo']>;

/** Wraps DER in the clear. */
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

/**
 * Takes the wrapping off.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNSUPPORTED` or `_PASSPHRASE`.
 */
export async function openContent(
  library: Pkcs12Library,
  { contentType, content }: ContentInfo,
  passphrase: string,
  budget: DerivationBudget,
): Promise<ArrayBuffer> {
  if (contentType === DATA) return library.AsnConvert.parse(content, library.OctetString).buffer;
  if (contentType !== ENCRYPTED_DATA) {
    const message = `PKCS#12 content of the kind ${contentType} isn't read here`;
    throw new CertificateError('KNSOCK_CERTIFICATE_UNSUPPORTED', message);
  }
  const { info } = library.AsnConvert.parse(content, pbeSchema(library).EncryptedContent);
  const encrypted = info.encryptedContent;
  // Java and Windows write the octets in pieces.
  const pieces = encrypted?.value === undefined ? (encrypted?.constructedValue ?? []) : [encrypted.value];
  const bytes = Buffer.concat(pieces.map(({ buffer }) => Buffer.from(buffer)));
  return arrayBufferOf(
    await decryptByPassphrase(library, info.contentEncryptionAlgorithm, bytes, passphrase, budget),
  );
}
