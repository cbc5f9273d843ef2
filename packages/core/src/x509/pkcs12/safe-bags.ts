import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { contextTag, Tag, type DerReader } from '../der.js';

/** What is said of one thing in a file. */
export interface BagAttributes {
  /** Marks a certificate and a key that belong together. */
  readonly localKeyId: Buffer | undefined;
  /** What programs show: Java's alias. */
  readonly friendlyName: string | undefined;
}

type BagContent =
  | { readonly kind: 'certificate'; readonly der: Buffer }
  | { readonly kind: 'key'; readonly pkcs8: Buffer }
  | {
      readonly kind: 'encrypted-key';
      readonly algorithm: AlgorithmIdentifier;
      readonly encrypted: Buffer;
    };

/** What a file holds one of. */
export type SafeBag = BagContent & BagAttributes;

const LOCAL_KEY_ID = '1.2.840.113549.1.9.21';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const BMP_STRING = 0x1e;
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const bagOid = {
  key: '1.2.840.113549.1.12.10.1.1',
  encryptedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  safeContents: '1.2.840.113549.1.12.10.1.6',
} as const;
const explicit = contextTag(0, 'constructed');

/** Reads SafeContents (RFC 7292 4.2): keys and X.509 certificates; CRLs, secrets and unknown bags are read over. */
export function readSafeBags(reader: DerReader): SafeBag[] {
  const sequence = reader.enter(Tag.sequence, 'safe contents');
  const bags: SafeBag[] = [];
  while (!sequence.isDone) bags.push(...readSafeBag(sequence.enter(Tag.sequence, 'safe bag')));
  return bags;
}

function readSafeBag(reader: DerReader): SafeBag[] {
  const oid = reader.oid('kind of safe bag');
  const value = reader.enter(explicit, 'safe bag');
  if (oid === bagOid.safeContents) {
    const bags = readSafeBags(value);
    readAttributes(reader);
    return bags;
  }
  const content = readContent(oid, value);
  const attributes = readAttributes(reader);
  return content === undefined ? [] : [{ ...content, ...attributes }];
}

function readContent(oid: string, value: DerReader): BagContent | undefined {
  switch (oid) {
    case bagOid.key:
      return { kind: 'key', pkcs8: onlyElement(value, 'private key') };
    case bagOid.encryptedKey:
      return readEncryptedKey(value);
    case bagOid.certificate:
      return readCertificate(value);
    default:
      return undefined;
  }
}

/** EncryptedPrivateKeyInfo (RFC 5958 3). */
function readEncryptedKey(value: DerReader): BagContent {
  const info = value.enter(Tag.sequence, 'encrypted key');
  const algorithm = readAlgorithm(info, 'encryption of the key');
  const encrypted = info.content(Tag.octetString, 'encrypted key');
  info.finish('encrypted key');
  value.finish('encrypted key');
  return { kind: 'encrypted-key', algorithm, encrypted };
}

function readCertificate(value: DerReader): BagContent | undefined {
  const bag = value.enter(Tag.sequence, 'certificate bag');
  value.finish('certificate bag');
  if (bag.oid('kind of certificate') !== X509_CERTIFICATE) return undefined;
  const wrapped = bag.enter(explicit, 'certificate bag');
  const der = wrapped.content(Tag.octetString, 'certificate');
  wrapped.finish('certificate bag');
  bag.finish('certificate bag');
  return { kind: 'certificate', der };
}

function onlyElement(value: DerReader, what: string): Buffer {
  const element = value.element(what);
  value.finish(what);
  return element;
}

/** Reads a bag's attributes to its end. */
function readAttributes(reader: DerReader): BagAttributes {
  let localKeyId: Buffer | undefined;
  let friendlyName: string | undefined;
  if (!reader.isDone) {
    const attributes = reader.enter(Tag.set, 'bag attributes');
    while (!attributes.isDone) {
      const attribute = attributes.enter(Tag.sequence, 'bag attribute');
      const oid = attribute.oid('kind of bag attribute');
      const values = attribute.enter(Tag.set, 'bag attribute');
      attribute.finish('bag attribute');
      if (oid === LOCAL_KEY_ID) localKeyId = values.content(Tag.octetString, 'local key id');
      if (oid === FRIENDLY_NAME && values.has(BMP_STRING))
        friendlyName = readBmp(values.content(BMP_STRING, 'friendly name'));
    }
  }
  reader.finish('safe bag');
  return { localKeyId, friendlyName };
}

/** UTF-16, high byte first; an odd byte at the end is nobody's. */
function readBmp(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}
