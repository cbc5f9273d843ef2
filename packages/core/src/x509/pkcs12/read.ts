import type { KeyObject } from 'node:crypto';
import { readAlgorithm } from '../algorithm.js';
import { contextTag, Tag, type DerReader } from '../der.js';
import { decryptDer } from './encryption.js';
import { readMac, type Mac } from './mac.js';
import { passphraseForms, type Passphrase } from './passphrase.js';
import { readPrivateKey } from './private-key.js';
import { decode, garbage, unsupported, writtenAsBer, wrongPassphrase } from './problem.js';
import { readSafeBags, type SafeBag } from './safe-bags.js';
import { WorkBudget } from './work-budget.js';

/** What a PKCS#12 file holds, in its order; equal local key ids say that a key and a certificate belong together. */
export interface Pkcs12Contents {
  readonly certificates: readonly { readonly der: Buffer; readonly localKeyId: Buffer | undefined }[];
  readonly keys: readonly { readonly key: KeyObject; readonly localKeyId: Buffer | undefined }[];
}

/** A file with a whole trust store in it stays under this. */
const MAX_BYTES = 1024 * 1024;
const VERSION = 3;
const contentOid = {
  data: '1.2.840.113549.1.7.1',
  signed: '1.2.840.113549.1.7.2',
  enveloped: '1.2.840.113549.1.7.3',
  encrypted: '1.2.840.113549.1.7.6',
} as const;
const explicit = contextTag(0, 'constructed');

/** What it takes to decrypt the parts of one file. */
interface Opener {
  readonly passphrase: Passphrase;
  /** What to say where a part doesn't decrypt. */
  readonly refusal: string;
  readonly budget: WorkBudget;
}

/**
 * Reads a PKCS#12 file (RFC 7292) written in DER: MACs with SHA-1 and SHA-2 and PBMAC1 (RFC 9579), encryption with AES-CBC
 * or triple DES, keys derived by PBKDF2, scrypt or PKCS#12's own way. A file without a MAC is read, as OpenSSL does.
 * At most 1 MiB, and 10 million rounds of key derivation, are accepted.
 * @param passphrase undefined and '' both open a file that was made without one
 * @throws CredentialsError 'passphrase', 'garbage' or 'unsupported'
 */
export function readPkcs12(bytes: Uint8Array, passphrase: string | undefined): Pkcs12Contents {
  const file = Buffer.from(bytes);
  requireBinary(file);
  const { authenticatedSafe, mac } = decode(file, 'outermost layer', readPfx);
  const opener = openerOf(authenticatedSafe, mac, passphrase);
  const parts = decode(authenticatedSafe, 'list of contents', readAuthenticatedSafe);
  const bags = parts.flatMap((part) => decode(openPart(part, opener), 'safe contents', readSafeBags));
  return {
    certificates: bags
      .filter((bag) => bag.kind === 'certificate')
      .map(({ der, localKeyId }) => ({ der, localKeyId })),
    keys: bags.flatMap((bag) => openKey(bag, opener)),
  };
}

function requireBinary(file: Buffer): void {
  if (file.length > MAX_BYTES) {
    const [size, limit] = [file.length.toLocaleString('en'), MAX_BYTES.toLocaleString('en')];
    throw garbage(`has ${size} bytes, over the limit of ${limit}`);
  }
  if (file.toString('latin1', 0, 11) === '-----BEGIN ')
    throw garbage('is PEM text: give it as certificate and key');
}

function readPfx(reader: DerReader): { authenticatedSafe: Buffer; mac: Mac | undefined } {
  const pfx = reader.enter(Tag.sequence, 'PFX');
  const version = pfx.smallInteger(255, 'version');
  if (version !== VERSION) pfx.fail(`version is ${version} instead of ${VERSION}`);
  const authSafe = pfx.enter(Tag.sequence, 'authenticated safe');
  const oid = authSafe.oid('kind of content');
  if (oid === contentOid.signed)
    throw unsupported('is signed with a key instead of locked with a passphrase');
  if (oid !== contentOid.data)
    authSafe.fail(`content of the kind ${oid} has no place in the outermost layer`);
  const authenticatedSafe = readData(authSafe);
  const mac = pfx.isDone ? undefined : readMac(pfx);
  pfx.finish('PFX');
  return { authenticatedSafe, mac };
}

/** Finds the passphrase's form by the MAC; without one, the form that nearly every program uses is assumed. */
function openerOf(contents: Buffer, mac: Mac | undefined, passphrase: string | undefined): Opener {
  const budget = new WorkBudget();
  const forms = passphraseForms(passphrase);
  const isGiven = passphrase !== undefined;
  const refusal = isGiven
    ? 'the passphrase doesn’t open the PKCS#12 file, or the file was changed after it was made'
    : 'the PKCS#12 file is locked with a passphrase, and none was given';
  if (mac === undefined) return { passphrase: passphraseForms(passphrase ?? '')[0], refusal, budget };
  const fitting = forms.find((form) => mac.fits(contents, form, budget));
  if (fitting === undefined) throw wrongPassphrase(refusal);
  const other = 'the passphrase fits the PKCS#12 file’s MAC, but what is encrypted inside has another one';
  return { passphrase: fitting, refusal: other, budget };
}

/** One ContentInfo of the list: a part in the clear, or what opens to one. */
type Part = (opener: Opener) => Buffer;

function readAuthenticatedSafe(reader: DerReader): Part[] {
  const sequence = reader.enter(Tag.sequence, 'list of contents');
  const parts: Part[] = [];
  while (!sequence.isDone) parts.push(readPart(sequence.enter(Tag.sequence, 'content')));
  return parts;
}

const openPart = (part: Part, opener: Opener): Buffer => part(opener);

function readPart(reader: DerReader): Part {
  const oid = reader.oid('kind of content');
  switch (oid) {
    case contentOid.data: {
      const data = readData(reader);
      return () => data;
    }
    case contentOid.encrypted:
      return readEncryptedData(reader);
    case contentOid.enveloped:
      throw unsupported('is encrypted for somebody’s certificate instead of with a passphrase');
    default:
      return reader.fail(`content of the kind ${oid} has no place in a PKCS#12 file`);
  }
}

function readData(reader: DerReader): Buffer {
  const wrapped = reader.enter(explicit, 'content');
  const data = wrapped.content(Tag.octetString, 'content');
  wrapped.finish('content');
  reader.finish('content');
  return data;
}

/** EncryptedData (RFC 5652 8). */
function readEncryptedData(reader: DerReader): Part {
  const wrapped = reader.enter(explicit, 'encrypted content');
  const data = wrapped.enter(Tag.sequence, 'encrypted content');
  data.smallInteger(2, 'version of the encrypted content');
  const info = data.enter(Tag.sequence, 'encrypted content');
  info.oid('kind of encrypted content');
  const algorithm = readAlgorithm(info, 'encryption');
  if (info.has(explicit)) throw writtenAsBer();
  const encrypted = info.content(contextTag(0, 'primitive'), 'encrypted content');
  info.finish('encrypted content');
  wrapped.finish('encrypted content');
  reader.finish('encrypted content');
  return (opener) => decrypt(opener, algorithm, encrypted);
}

function openKey(bag: SafeBag, opener: Opener): Pkcs12Contents['keys'] {
  if (bag.kind === 'certificate') return [];
  const pkcs8 = bag.kind === 'key' ? bag.pkcs8 : decrypt(opener, bag.algorithm, bag.encrypted);
  return [{ key: readPrivateKey(pkcs8), localKeyId: bag.localKeyId }];
}

function decrypt(
  { passphrase, refusal, budget }: Opener,
  algorithm: ReturnType<typeof readAlgorithm>,
  encrypted: Buffer,
): Buffer {
  const plain = decryptDer(algorithm, encrypted, passphrase, budget);
  if (plain === undefined) throw wrongPassphrase(refusal);
  return plain;
}
