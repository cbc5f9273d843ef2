/** PKCS#12 files (RFC 7292): a key, its certificate and the chain behind one passphrase. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { orderChain } from './chain.js';
import { CertificateError } from './errors.js';
import { shroudKey } from './key-encryption.js';
import { privateKeyPem, readPrivateKey } from './keys.js';
import { decryptByPassphrase, encryptByPassphrase } from './pbe.js';
import { pbeSchema } from './pbe-schema.js';
import { certificateBlocks, toPem } from './pem.js';
import { certificateFits } from './key-matches.js';
import { addMac, checkMac } from './pkcs12-mac.js';
import { arrayBufferOf, pkcs12Library, type Pkcs12Library } from './x509.js';

const DATA = '1.2.840.113549.1.7.1';
const ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
/** Each of key, certificates and MAC costs a guess as much, in rounds. */
const ITERATIONS = 100_000;

/** What goes into the file; PEM. */
export interface Pkcs12Content {
  /** The leaf, and its issuers in any order. */
  readonly chain: string;
  readonly key: string;
  /** Opens `key` where that is encrypted. */
  readonly keyPassphrase?: string | undefined;
  /** Shown by programs that list the file. */
  readonly friendlyName?: string | undefined;
}

/** What was in a file; PEM. */
export interface Pkcs12Parts {
  readonly key: string;
  readonly certificate: string;
  /** Leaf first, then all other certificates of the file, each issuer after what it issued. */
  readonly chain: string;
}

/**
 * Writes a PKCS#12 file with AES-256 and SHA-256, as OpenSSL 3, Node, Java and Windows (since 2019) read it.
 * @throws CertificateError where key and certificate don't fit, or the passphrase is empty.
 */
export async function toPkcs12(content: Pkcs12Content, passphrase: string): Promise<Buffer> {
  if (passphrase === '')
    throw new CertificateError('KNSOCK_CERTIFICATE_PASSPHRASE', 'a PKCS#12 file needs a passphrase');
  const library = await pkcs12Library();
  const key = readPrivateKey(content.key, content.keyPassphrase);
  const certificates = leafFirst(
    certificateBlocks(content.chain).map(({ der }) => der),
    key,
  );
  const keyBag = await makeKeyBag(library, key, content.friendlyName, passphrase);
  const certificateBags = certificates.map((der, index) =>
    makeCertificateBag(library, der, index === 0, content.friendlyName),
  );
  const safe = new library.AuthenticatedSafe([
    dataContent(library, library.encode(new library.SafeContents([keyBag]))),
    await encryptedContent(library, library.encode(new library.SafeContents(certificateBags)), passphrase),
  ]);
  return addMac(library, library.encode(safe), passphrase, ITERATIONS);
}

/**
 * Reads a PKCS#12 file, one of the old algorithms (RC2, triple DES, SHA-1) too.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_UNSUPPORTED`, `_MALFORMED` or `_KEY_MISMATCH`.
 */
export async function fromPkcs12(file: Uint8Array, passphrase: string): Promise<Pkcs12Parts> {
  const library = await pkcs12Library();
  try {
    const bags = await readBags(library, checkMac(library, file, passphrase), passphrase);
    const { keys, certificates } = await sortBags(library, bags, passphrase);
    return assemble(keys, certificates);
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause;
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a PKCS#12 file', { cause });
  }
}

function assemble(keys: readonly KeyObject[], certificates: readonly Buffer[]): Pkcs12Parts {
  const [key] = keys;
  if (key === undefined)
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'the PKCS#12 file holds no private key');
  const [leaf, ...others] = leafFirst(certificates, key).map((der) => toPem('CERTIFICATE', der));
  return { key: privateKeyPem(key), certificate: leaf ?? '', chain: [leaf, ...others].join('') };
}

/** The key's own certificate first, the others ordered after it. */
function leafFirst(certificates: readonly Buffer[], key: KeyObject): Buffer[] {
  const leaf = certificates.find((der) => certificateFits(der, key));
  if (leaf !== undefined) return orderChain(certificates, leaf);
  throw new CertificateError('KNSOCK_CERTIFICATE_KEY_MISMATCH', 'none of the certificates is the key’s');
}

type SafeBag = InstanceType<Pkcs12Library['SafeBag']>;
type ContentInfo = InstanceType<Pkcs12Library['ContentInfo']>;

async function readBags(library: Pkcs12Library, safe: ArrayBuffer, passphrase: string): Promise<SafeBag[]> {
  const contents = library.AsnConvert.parse(safe, library.AuthenticatedSafe);
  const bags: SafeBag[] = [];
  for (const content of contents) {
    const plain = await openContent(library, content, passphrase);
    bags.push(...library.AsnConvert.parse(plain, library.SafeContents));
  }
  return bags;
}

async function openContent(
  library: Pkcs12Library,
  content: ContentInfo,
  passphrase: string,
): Promise<ArrayBuffer> {
  if (content.contentType === DATA)
    return library.AsnConvert.parse(content.content, library.OctetString).buffer;
  if (content.contentType !== ENCRYPTED_DATA) {
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_UNSUPPORTED',
      `PKCS#12 content of the kind ${content.contentType} isn't read here`,
    );
  }
  const { info } = library.AsnConvert.parse(content.content, pbeSchema(library).EncryptedContent);
  const { value, constructedValue } = info.encryptedContent ?? {};
  const encrypted =
    value === undefined
      ? Buffer.concat((constructedValue ?? []).map(({ buffer }) => Buffer.from(buffer)))
      : Buffer.from(value.buffer);
  return arrayBufferOf(
    await decryptByPassphrase(library, info.contentEncryptionAlgorithm, encrypted, passphrase),
  );
}

async function sortBags(library: Pkcs12Library, bags: readonly SafeBag[], passphrase: string) {
  const keys: KeyObject[] = [];
  const certificates: Buffer[] = [];
  for (const bag of bags) {
    if (bag.bagId === library.id_keyBag) keys.push(keyOf(Buffer.from(bag.bagValue)));
    if (bag.bagId === library.id_pkcs8ShroudedKeyBag)
      keys.push(keyOf(await openKey(library, bag.bagValue, passphrase)));
    if (bag.bagId === library.id_certBag) certificates.push(certificateOf(library, bag.bagValue));
  }
  return { keys, certificates };
}

async function openKey(library: Pkcs12Library, der: ArrayBuffer, passphrase: string): Promise<Buffer> {
  const info = library.AsnConvert.parse(der, library.EncryptedPrivateKeyInfo);
  const encrypted = Buffer.from(info.encryptedData.buffer);
  return decryptByPassphrase(library, info.encryptionAlgorithm, encrypted, passphrase);
}

function keyOf(der: Buffer): KeyObject {
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function certificateOf(library: Pkcs12Library, value: ArrayBuffer): Buffer {
  const bag = library.AsnConvert.parse(value, library.CertBag);
  return Buffer.from(library.AsnConvert.parse(bag.certValue, library.OctetString).buffer);
}

async function makeKeyBag(
  library: Pkcs12Library,
  key: KeyObject,
  name: string | undefined,
  passphrase: string,
): Promise<SafeBag> {
  const info = await shroudKey(library, key.export({ type: 'pkcs8', format: 'der' }), passphrase, ITERATIONS);
  return makeBag(library, library.id_pkcs8ShroudedKeyBag, info, attributes(library, name));
}

function makeCertificateBag(
  library: Pkcs12Library,
  der: Buffer,
  isLeaf: boolean,
  name: string | undefined,
): SafeBag {
  const certValue = arrayBufferOf(library.encode(new library.OctetString(arrayBufferOf(der))));
  const bag = new library.CertBag({ certId: library.id_x509Certificate, certValue });
  return makeBag(library, library.id_certBag, bag, isLeaf ? attributes(library, name) : []);
}

function makeBag(library: Pkcs12Library, bagId: string, value: unknown, bagAttributes: Attribute[]): SafeBag {
  const bag = new library.SafeBag({ bagId, bagValue: arrayBufferOf(library.encode(value)) });
  if (bagAttributes.length > 0) bag.bagAttributes = bagAttributes;
  return bag;
}

type Attribute = InstanceType<Pkcs12Library['PKCS12Attribute']>;

/** The same identifier on key and leaf says that they belong together. */
function attributes(library: Pkcs12Library, name: string | undefined): Attribute[] {
  const identifier = attribute(library, LOCAL_KEY_ID, library.encode(new library.OctetString([1])));
  return name === undefined ? [identifier] : [identifier, attribute(library, FRIENDLY_NAME, bmpString(name))];
}

function attribute(library: Pkcs12Library, attrId: string, value: Buffer): Attribute {
  const made = new library.PKCS12Attribute();
  made.attrId = attrId;
  made.attrValues = [arrayBufferOf(value)];
  return made;
}

function bmpString(text: string): Buffer {
  const content = Buffer.from([...text].slice(0, 60).join(''), 'utf16le').swap16();
  return Buffer.concat([Buffer.from([0x1e, content.length]), content]);
}

function dataContent(library: Pkcs12Library, der: Buffer): ContentInfo {
  const content = arrayBufferOf(library.encode(new library.OctetString(arrayBufferOf(der))));
  return new library.ContentInfo({ contentType: DATA, content });
}

async function encryptedContent(
  library: Pkcs12Library,
  der: Buffer,
  passphrase: string,
): Promise<ContentInfo> {
  const { algorithm, encrypted } = await encryptByPassphrase(library, der, passphrase, ITERATIONS);
  const outer = new (pbeSchema(library).EncryptedContent)();
  outer.info = new library.EncryptedContentInfo({
    contentType: DATA,
    contentEncryptionAlgorithm: algorithm,
    encryptedContent: new library.EncryptedContent({
      value: new library.OctetString(arrayBufferOf(encrypted)),
    }),
  });
  return new library.ContentInfo({
    contentType: ENCRYPTED_DATA,
    content: arrayBufferOf(library.encode(outer)),
  });
}
