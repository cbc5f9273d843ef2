/** Writes PKCS#12 files (RFC 7292): a key, its certificate and the chain, encrypted with one passphrase. */
import type { KeyObject } from 'node:crypto';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { chainOfKey } from '../keys/chain.js';
import { CertificateError } from '../errors.js';
import { shroudKey } from '../keys/key-encryption.js';
import { fromCore } from '../files/from-core.js';
import { openPrivateKey } from '../keys/keys.js';
import { dataContent, encryptedContent } from './pkcs12-content.js';
import { addMac } from './pkcs12-mac.js';
import { arrayBufferOf, pkcs12Library, type Pkcs12Library } from '../x509.js';

const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
/** Oracle's attribute, and its value that stands for every usage (2.5.29.37.0). */
const TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';
const ANY_USAGE = Buffer.from('0604551d2500', 'hex');
/** The same rounds for key, certificates and MAC: an attacker would guess against the cheapest of the three. */
const ITERATIONS = 100_000;

/** The contents of the file; PEM. */
export interface Pkcs12Content {
  /** The leaf, and its issuers in any order. */
  readonly chain: string;
  /** The private key. */
  readonly key: string;
  /** Opens `key` where that is encrypted. */
  readonly keyPassphrase?: string | undefined;
  /** Shown by programs that list the file; at most 60 characters of it. */
  readonly friendlyName?: string | undefined;
}

/** Certificates to trust, without a key: a trust store, in Java's terms. */
export interface Pkcs12Trust {
  /** PEM, or any other form of certificates. */
  readonly trust: string | Uint8Array;
}

type SafeBag = InstanceType<Pkcs12Library['SafeBag']>;
type Attribute = InstanceType<Pkcs12Library['PKCS12Attribute']>;

/**
 * Writes a PKCS#12 file with AES-256 and SHA-256, as OpenSSL, Node, Java (since 8u301) and Windows (since 2019) read it.
 * With `trust` it is a trust store: each certificate is named after its subject, and marked as trusted in Java's way.
 * @throws CertificateError if no certificate is the key's, or the passphrase is empty.
 */
export async function toPkcs12(content: Pkcs12Content | Pkcs12Trust, passphrase: string): Promise<Buffer> {
  if (passphrase === '') {
    throw new CertificateError('KNSOCK_CERTIFICATE_PASSPHRASE', 'a PKCS#12 file needs a passphrase');
  }
  const library = await pkcs12Library();
  const parts =
    'trust' in content ? trustParts(library, content) : await pairParts(library, content, passphrase);
  const certificates = library.encode(new library.SafeContents(parts.certificates));
  const safe = new library.AuthenticatedSafe([
    ...parts.keys.map((key) => dataContent(library, library.encode(new library.SafeContents([key])))),
    await encryptedContent(library, certificates, passphrase, ITERATIONS),
  ]);
  return addMac(library, library.encode(safe), passphrase, ITERATIONS);
}

interface Parts {
  readonly keys: readonly SafeBag[];
  readonly certificates: SafeBag[];
}

async function pairParts(library: Pkcs12Library, content: Pkcs12Content, passphrase: string): Promise<Parts> {
  const key = await openPrivateKey(content.key, content.keyPassphrase);
  const chain = chainOfKey(
    fromCore(() => parseCertificates(content.chain)),
    key,
  );
  const { friendlyName } = content;
  const certificates = chain.map(({ der }, index) =>
    certificateBag(library, der, index === 0 ? identified(library, friendlyName) : []),
  );
  return { keys: [await keyBag(library, key, friendlyName, passphrase)], certificates };
}

function trustParts(library: Pkcs12Library, { trust }: Pkcs12Trust): Parts {
  const certificates = fromCore(() => parseCertificates(trust));
  const names = distinctNames(certificates);
  const bags = certificates.map(({ der }, index) => {
    const name = attribute(library, FRIENDLY_NAME, bmpString(names[index] ?? ''));
    return certificateBag(library, der, [name, attribute(library, TRUSTED_KEY_USAGE, ANY_USAGE)]);
  });
  return { keys: [], certificates: bags };
}

/** Java identifies certificates by alias, ignoring case. */
function distinctNames(certificates: readonly X509Certificate[]): string[] {
  const taken = new Set<string>();
  return certificates.map(({ subject }) => {
    const name = (subject.commonNames[0] ?? subject.toString()).slice(0, 50);
    let distinct = name;
    for (let count = 2; taken.has(distinct.toLowerCase()); count += 1) distinct = `${name} (${count})`;
    taken.add(distinct.toLowerCase());
    return distinct;
  });
}

async function keyBag(
  library: Pkcs12Library,
  key: KeyObject,
  name: string | undefined,
  passphrase: string,
): Promise<SafeBag> {
  const info = await shroudKey(library, key.export({ type: 'pkcs8', format: 'der' }), passphrase, ITERATIONS);
  return makeBag(library, library.id_pkcs8ShroudedKeyBag, info, identified(library, name));
}

function certificateBag(library: Pkcs12Library, der: Buffer, attributes: Attribute[]): SafeBag {
  const certValue = arrayBufferOf(library.encode(new library.OctetString(arrayBufferOf(der))));
  const bag = new library.CertBag({ certId: library.id_x509Certificate, certValue });
  return makeBag(library, library.id_certBag, bag, attributes);
}

function makeBag(library: Pkcs12Library, bagId: string, value: unknown, bagAttributes: Attribute[]): SafeBag {
  const bag = new library.SafeBag({ bagId, bagValue: arrayBufferOf(library.encode(value)) });
  if (bagAttributes.length > 0) bag.bagAttributes = bagAttributes;
  return bag;
}

/** The same identifier on key and leaf shows that they belong together. */
function identified(library: Pkcs12Library, name: string | undefined): Attribute[] {
  const identifier = attribute(library, LOCAL_KEY_ID, library.encode(new library.OctetString([1])));
  return name === undefined ? [identifier] : [identifier, attribute(library, FRIENDLY_NAME, bmpString(name))];
}

function attribute(library: Pkcs12Library, attrId: string, value: Buffer): Attribute {
  const made = new library.PKCS12Attribute();
  made.attrId = attrId;
  made.attrValues = [arrayBufferOf(value)];
  return made;
}

/** 60 UTF-16 units keep the length within one byte. */
function bmpString(text: string): Buffer {
  const content = Buffer.from(text.slice(0, 60), 'utf16le').swap16();
  return Buffer.concat([Buffer.from([0x1e, content.length]), content]);
}
