import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { contextTag, Tag, type DerReader } from '../der.js';
import { readMac, type Mac } from './mac.js';
import { unsupported } from '../encryption/problem.js';

/** The outermost layer (RFC 7292 4). */
export interface Pfx {
  /** What the MAC is over: the DER of a list of parts. */
  readonly authenticatedSafe: Buffer;
  readonly mac: Mac | undefined;
}

/** One part of the list; in the clear it is the DER of SafeContents. */
export type Part =
  | { readonly kind: 'clear'; readonly data: Buffer }
  | { readonly kind: 'encrypted'; readonly algorithm: AlgorithmIdentifier; readonly encrypted: Buffer };

const EXPORT_AGAIN =
  'Export it again from the program that made it, with a passphrase (privacy and integrity by password).';
const VERSION = 3;
const contentOid = {
  data: '1.2.840.113549.1.7.1',
  signed: '1.2.840.113549.1.7.2',
  enveloped: '1.2.840.113549.1.7.3',
  encrypted: '1.2.840.113549.1.7.6',
} as const;
const explicit = contextTag(0, 'constructed');

export function readPfx(reader: DerReader): Pfx {
  const pfx = reader.enter(Tag.sequence, 'PFX');
  const version = pfx.smallInteger(255, 'version');
  if (version !== VERSION) pfx.fail(`version is ${version} instead of ${VERSION}`);
  const authSafe = pfx.enter(Tag.sequence, 'authenticated safe');
  const oid = authSafe.oid('kind of content');
  if (oid === contentOid.signed)
    throw unsupported('is signed with a key instead of locked with a passphrase', { hint: EXPORT_AGAIN });
  if (oid !== contentOid.data)
    authSafe.fail(`content of the kind ${oid} has no place in the outermost layer`);
  const authenticatedSafe = readData(authSafe);
  const mac = pfx.isDone ? undefined : readMac(pfx);
  pfx.finish('PFX');
  return { authenticatedSafe, mac };
}

export function readParts(reader: DerReader): Part[] {
  const sequence = reader.enter(Tag.sequence, 'list of contents');
  const parts: Part[] = [];
  while (!sequence.isDone) parts.push(readPart(sequence.enter(Tag.sequence, 'content')));
  return parts;
}

function readPart(reader: DerReader): Part {
  const oid = reader.oid('kind of content');
  switch (oid) {
    case contentOid.data:
      return { kind: 'clear', data: readData(reader) };
    case contentOid.encrypted:
      return readEncryptedData(reader);
    case contentOid.enveloped:
      throw unsupported('is encrypted for a certificate instead of with a passphrase', {
        hint: EXPORT_AGAIN,
      });
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
  const oid = info.oid('kind of encrypted content');
  if (oid !== contentOid.data)
    info.fail(`encrypted content of the kind ${oid} has no place in a PKCS#12 file`);
  const algorithm = readAlgorithm(info, 'encryption');
  const encrypted = info.has(explicit)
    ? joinPieces(info.enter(explicit, 'encrypted content'))
    : info.content(contextTag(0, 'primitive'), 'encrypted content');
  info.finish('encrypted content');
  readAttributes(data);
  wrapped.finish('encrypted content');
  reader.finish('encrypted content');
  return { kind: 'encrypted', algorithm, encrypted };
}

/** BER lets a string come in pieces (X.690 8.7.3). */
function joinPieces(reader: DerReader): Buffer {
  const pieces: Buffer[] = [];
  while (!reader.isDone) pieces.push(reader.content(Tag.octetString, 'encrypted content'));
  return Buffer.concat(pieces);
}

/** Unprotected attributes tell nothing that anybody may rely on. */
function readAttributes(data: DerReader): void {
  if (data.has(contextTag(1, 'constructed'))) data.element('unprotected attributes');
  data.finish('encrypted content');
}
