/** The objects in a file, each read by itself. */
import type { KeyObject } from 'node:crypto';
import {
  arrangePkcs12,
  bareBase64,
  describeContent,
  isEncryptedKey,
  isKeyStore,
  isPuttyKey,
  kindOfDer,
  objectsIn,
  openPublicKey,
  parseCrl,
  pkcs12Certificates,
  rsaPublicKeyInfo,
  textOf,
  withoutPadding,
  X509Certificate,
  type FileObject,
  type ObjectKind,
  type PemBlock,
} from '@knsock/core/x509';
import { MalformedDerError } from '@knsock/core/errors';
import { CertificateError } from '../errors.js';
import { asCertificateError, fromCore } from '../files/from-core.js';
import { readPem } from '../files/pem.js';
import { readCsr } from '../issuing/csr.js';
import { openPrivateKey } from '../keys/keys.js';
import { readPkcs12 } from '../pkcs12/pkcs12-reader.js';
import { certificateFacts, crlFacts, keyFacts, requestFacts, type Inspected } from './facts.js';

interface Context {
  readonly passphrase: string | undefined;
  readonly keyName: string | undefined;
  readonly at: Date;
}

/** @throws CertificateError if nothing in it can be read */
export async function readItems(input: Uint8Array, context: Context): Promise<Inspected[]> {
  if (isKeyStore(input)) return readStore(input, context);
  const text = textOf(input);
  if (text?.includes('-----BEGIN ') === true) return readBlocks(text, context);
  if (text !== undefined && isPuttyKey(text)) return [await readKey(input, context)];
  const der = text === undefined ? Buffer.from(input) : bareBase64(text);
  const kind = der && kindOfDer(der);
  switch (kind) {
    case 'certificate':
    case 'request':
    case 'revocation list':
      return readObjects(input, [kind], context);
    case 'PKCS#7':
      return readObjects(input, ['certificate', 'revocation list'], context);
    case 'public key':
      return [await readPublicKey(withoutPadding(der as Buffer))];
    case 'encrypted private key':
    case 'private key':
    case 'PKCS#1 key':
    case 'SEC1 key':
      return [await readKey(input, context)];
    default:
      return isJwk(text) ? [await readKey(input, context)] : fail(input);
  }
}

/** Irrelevant blocks, such as curve parameters before a key, are skipped. */
async function readBlocks(text: string, context: Context): Promise<Inspected[]> {
  const blocks = fromCore(() => readPem(text));
  const items: Inspected[] = [];
  const failures: Error[] = [];
  for (const [index, block] of blocks.entries()) {
    const { label, line } = block;
    try {
      items.push(...(await readBlock(block, context)));
    } catch (error) {
      const place = `block ${index + 1} of ${blocks.length} ("${label}", line ${line.toLocaleString('en')})`;
      failures.push(error as Error);
      items.push({ type: 'unreadable', ...damage(error, blocks.length > 1 ? place : undefined) });
    }
  }
  if (items.length === 0) return fail(text);
  if (failures.length === items.length) throw failures[0] as Error;
  return items;
}

async function readBlock(found: PemBlock, context: Context): Promise<Inspected[]> {
  const { label, text: block } = found;
  if (label.endsWith('PRIVATE KEY')) return [await readKey(block, context)];
  // PKCS#1 contains only the numbers of an RSA key.
  if (label === 'RSA PUBLIC KEY') return [await readPublicKey(rsaPublicKeyInfo(found.der))];
  if (label.endsWith('PUBLIC KEY')) return [await readPublicKey(found.der)];
  if (/^(PKCS7|PKCS #7 SIGNED DATA|CMS)$/.test(label))
    return readObjects(block, ['certificate', 'revocation list'], context);
  if (/CERTIFICATE REQUEST$/.test(label)) return readObjects(block, ['request'], context);
  if (/^(X509 |TRUSTED )?CERTIFICATE$/.test(label)) return readObjects(block, ['certificate'], context);
  return /CRL$/.test(label) ? readObjects(block, ['revocation list'], context) : [];
}

async function readObjects(
  input: string | Uint8Array,
  kinds: readonly ObjectKind[],
  context: Context,
): Promise<Inspected[]> {
  const items: Inspected[] = [];
  let failure: Error | undefined;
  for (const kind of kinds) {
    const objects = kinds.length === 1 ? objectsIn(input, kind) : thoseThere(input, kind);
    for (const { der, place, marks } of objects) {
      try {
        items.push(await readObject(kind, { der, marks }, context));
      } catch (error) {
        failure ??= error as Error;
        items.push({ type: 'unreadable', ...damage(error, place) });
      }
    }
  }
  if (failure !== undefined && items.every(({ type }) => type === 'unreadable')) throw failure;
  return items;
}

function thoseThere(input: string | Uint8Array, kind: ObjectKind): FileObject[] {
  try {
    return objectsIn(input, kind);
  } catch (error) {
    if (error instanceof MalformedDerError) return [];
    throw error;
  }
}

async function readObject(
  kind: ObjectKind,
  { der, marks }: Pick<FileObject, 'der' | 'marks'>,
  { at }: Context,
): Promise<Inspected> {
  if (kind === 'certificate') return certificateFacts(new X509Certificate(der, marks), at);
  if (kind === 'revocation list') return crlFacts(parseCrl(der));
  return requestFacts(await readCsr(der));
}

/** Without its passphrase nothing is known about an encrypted key. */
async function readKey(input: string | Uint8Array, { passphrase }: Context): Promise<Inspected> {
  const encrypted = isEncryptedKey(input);
  if (encrypted && passphrase === undefined)
    return { type: 'private-key', encrypted: true, key: undefined, spkiPin: undefined };
  return showingUnusable('private-key', encrypted, () => openPrivateKey(input, passphrase, 'any'));
}

/** A key that was read, and that nobody uses: what it is. */
async function showingUnusable(
  type: 'private-key' | 'public-key',
  encrypted: boolean,
  open: () => KeyObject | Promise<KeyObject>,
): Promise<Inspected> {
  try {
    return keyFacts(await open(), encrypted);
  } catch (error) {
    const told = asCertificateError(error);
    if (!(told instanceof CertificateError) || told.code !== 'KNSOCK_CERTIFICATE_KEY') throw error;
    return { type, encrypted, key: undefined, spkiPin: undefined, problem: told.message };
  }
}

async function readStore(store: Uint8Array, { passphrase, keyName, at }: Context): Promise<Inspected[]> {
  const contents = await readPkcs12(store, passphrase);
  if (keyName !== undefined) {
    const { key, chain } = fromCore(() => arrangePkcs12(contents, keyName));
    const own = { ...keyFacts(key, false), friendlyName: keyName };
    return [own, ...chain.map((certificate) => certificateFacts(certificate, at))];
  }
  const keys = contents.keys.map(({ key, friendlyName }) => ({ ...keyFacts(key, false), friendlyName }));
  const certificates = fromCore(() => pkcs12Certificates(contents)).map(({ certificate, friendlyName }) => ({
    ...certificateFacts(certificate, at),
    friendlyName,
  }));
  if (keys.length + certificates.length > 0) return [...keys, ...certificates];
  throw new CertificateError(
    'KNSOCK_CERTIFICATE_MALFORMED',
    'the PKCS#12 file holds neither keys nor certificates',
  );
}

/** @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` */
function readPublicKey(spki: Buffer): Promise<Inspected> {
  return showingUnusable('public-key', false, () => fromCore(() => openPublicKey(spki)));
}

const isJwk = (text: string | undefined): boolean =>
  text !== undefined && /^\s*\{/.test(text) && text.includes('"kty"');

function damage(error: unknown, place: string | undefined): { problem: string; hint: string } {
  const told = asCertificateError(error);
  if (!(told instanceof CertificateError)) throw told;
  return { problem: place === undefined ? told.message : `${place}: ${told.message}`, hint: told.hint };
}

function fail(input: string | Uint8Array): never {
  const { what, advice } = describeContent(input, 'certificate');
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', what.replace(/, not a certificate$/, ''), {
    hint: advice,
    offset: 0,
  });
}
