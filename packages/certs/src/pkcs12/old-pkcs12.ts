/** PKCS#12 files of old programs, read. */
import type { KeyObject } from 'node:crypto';
import { openPrivateKey } from '@knsock/core/x509';
import { chainOfKey } from '../formats/chain.js';
import { DerivationBudget } from './derivation-budget.js';
import { CertificateError } from '../errors.js';
import { privateKeyPem } from '../keys/keys.js';
import { decryptByPassphrase } from './pbe.js';
import { toPem } from '../formats/pem.js';
import { openContent } from './pkcs12-content.js';
import { checkMac } from './pkcs12-mac.js';
import type { Pkcs12Parts } from './pkcs12-parts.js';
import { pkcs12Library, type Pkcs12Library } from '../x509.js';

type SafeBag = InstanceType<Pkcs12Library['SafeBag']>;

/**
 * Reads a file that core's reader doesn't: its encryption is RC2, or it is written in BER, as NSS and old Java do.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_UNSUPPORTED`, `_MALFORMED` or `_KEY_MISMATCH`.
 */
export async function readOldPkcs12(file: Uint8Array, passphrase: string): Promise<Pkcs12Parts> {
  const library = await pkcs12Library();
  const budget = new DerivationBudget();
  try {
    const safe = await checkMac(library, file, passphrase, budget);
    const bags = await readBags(library, safe, passphrase, budget);
    return assemble(await readKey(library, bags, passphrase, budget), readCertificates(library, bags));
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause;
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a PKCS#12 file', { cause });
  }
}

function assemble(key: KeyObject, certificates: readonly Buffer[]): Pkcs12Parts {
  const [leaf = '', ...others] = chainOfKey(certificates, key).map((der) => toPem('CERTIFICATE', der));
  return { key: privateKeyPem(key), certificate: leaf, chain: [leaf, ...others].join('') };
}

async function readBags(
  library: Pkcs12Library,
  safe: ArrayBuffer,
  passphrase: string,
  budget: DerivationBudget,
): Promise<SafeBag[]> {
  const bags: SafeBag[] = [];
  for (const content of library.AsnConvert.parse(safe, library.AuthenticatedSafe)) {
    const plain = await openContent(library, content, passphrase, budget);
    bags.push(...library.AsnConvert.parse(plain, library.SafeContents));
  }
  return bags;
}

async function readKey(
  library: Pkcs12Library,
  bags: readonly SafeBag[],
  passphrase: string,
  budget: DerivationBudget,
): Promise<KeyObject> {
  for (const { bagId, bagValue } of bags) {
    if (bagId === library.id_keyBag) return keyOf(Buffer.from(bagValue));
    if (bagId === library.id_pkcs8ShroudedKeyBag)
      return keyOf(await openKey(library, bagValue, passphrase, budget));
  }
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'the PKCS#12 file holds no private key');
}

async function openKey(
  library: Pkcs12Library,
  der: ArrayBuffer,
  passphrase: string,
  budget: DerivationBudget,
): Promise<Buffer> {
  const info = library.AsnConvert.parse(der, library.EncryptedPrivateKeyInfo);
  const encrypted = Buffer.from(info.encryptedData.buffer);
  return decryptByPassphrase(library, info.encryptionAlgorithm, encrypted, passphrase, budget);
}

function readCertificates(library: Pkcs12Library, bags: readonly SafeBag[]): Buffer[] {
  const found = bags.filter(({ bagId }) => bagId === library.id_certBag);
  return found.map(({ bagValue }) => {
    const { certValue } = library.AsnConvert.parse(bagValue, library.CertBag);
    return Buffer.from(library.AsnConvert.parse(certValue, library.OctetString).buffer);
  });
}

function keyOf(der: Buffer): KeyObject {
  return openPrivateKey(der);
}
