/** PKCS#12 files read, those of old programs too. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { chainOfKey } from './chain.js';
import { CertificateError } from './errors.js';
import { privateKeyPem } from './keys.js';
import { decryptByPassphrase } from './pbe.js';
import { toPem } from './pem.js';
import { openContent } from './pkcs12-content.js';
import { checkMac } from './pkcs12-mac.js';
import { pkcs12Library, type Pkcs12Library } from './x509.js';

/** What was in a file; PEM. */
export interface Pkcs12Parts {
  readonly key: string;
  readonly certificate: string;
  /** Leaf first, then its issuers as far as the file has them. */
  readonly chain: string;
}

type SafeBag = InstanceType<Pkcs12Library['SafeBag']>;

/**
 * Reads a PKCS#12 file: AES, and the old triple DES and RC2; MACs of SHA-1 and SHA-2.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_UNSUPPORTED`, `_MALFORMED` or `_KEY_MISMATCH`.
 */
export async function fromPkcs12(file: Uint8Array, passphrase: string): Promise<Pkcs12Parts> {
  const library = await pkcs12Library();
  try {
    const bags = await readBags(library, checkMac(library, file, passphrase), passphrase);
    return assemble(await readKey(library, bags, passphrase), readCertificates(library, bags));
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause;
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a PKCS#12 file', { cause });
  }
}

function assemble(key: KeyObject, certificates: readonly Buffer[]): Pkcs12Parts {
  const [leaf = '', ...others] = chainOfKey(certificates, key).map((der) => toPem('CERTIFICATE', der));
  return { key: privateKeyPem(key), certificate: leaf, chain: [leaf, ...others].join('') };
}

async function readBags(library: Pkcs12Library, safe: ArrayBuffer, passphrase: string): Promise<SafeBag[]> {
  const bags: SafeBag[] = [];
  for (const content of library.AsnConvert.parse(safe, library.AuthenticatedSafe)) {
    const plain = await openContent(library, content, passphrase);
    bags.push(...library.AsnConvert.parse(plain, library.SafeContents));
  }
  return bags;
}

async function readKey(
  library: Pkcs12Library,
  bags: readonly SafeBag[],
  passphrase: string,
): Promise<KeyObject> {
  for (const { bagId, bagValue } of bags) {
    if (bagId === library.id_keyBag) return keyOf(Buffer.from(bagValue));
    if (bagId === library.id_pkcs8ShroudedKeyBag) return keyOf(await openKey(library, bagValue, passphrase));
  }
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'the PKCS#12 file holds no private key');
}

async function openKey(library: Pkcs12Library, der: ArrayBuffer, passphrase: string): Promise<Buffer> {
  const info = library.AsnConvert.parse(der, library.EncryptedPrivateKeyInfo);
  const encrypted = Buffer.from(info.encryptedData.buffer);
  return decryptByPassphrase(library, info.encryptionAlgorithm, encrypted, passphrase);
}

function readCertificates(library: Pkcs12Library, bags: readonly SafeBag[]): Buffer[] {
  const found = bags.filter(({ bagId }) => bagId === library.id_certBag);
  return found.map(({ bagValue }) => {
    const { certValue } = library.AsnConvert.parse(bagValue, library.CertBag);
    return Buffer.from(library.AsnConvert.parse(certValue, library.OctetString).buffer);
  });
}

function keyOf(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
