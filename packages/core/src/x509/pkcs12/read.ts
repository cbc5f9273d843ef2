import { MalformedDerError } from '../../errors/malformed-der.js';
import type { AlgorithmIdentifier } from '../algorithm.js';
import { openAtOnce, openOffThread, type Opening } from '../encryption/derivation.js';
import { decryptDer } from '../encryption/encryption.js';
import { passphraseForms, type Passphrase } from '../encryption/passphrase.js';
import {
  asCredentialsError,
  decode,
  FileProblem,
  malformed,
  unsupported,
  wrongPassphrase,
} from '../encryption/problem.js';
import { WorkBudget } from '../encryption/work-budget.js';
import { kindOfDer } from '../formats/der-kind.js';
import { describeContent } from '../formats/describe.js';
import { javaKeystoreKind } from '../formats/other-kinds.js';
import { withoutPadding } from '../formats/padding.js';
import { bareBase64, textOf } from '../formats/text.js';
import { readPkcs8 } from '../keys/pkcs8.js';
import { splitPem } from '../pem.js';
import type { Pkcs12Contents } from './contents.js';
import { readParts, readPfx, type Part, type Pfx } from './authenticated-safe.js';
import { readSafeBags, type SafeBag } from './safe-bags.js';

/** A file with a whole trust store in it stays under this. */
const MAX_BYTES = 1024 * 1024;
/** What errors call it. */
const subjectOf = (bytes: Uint8Array): string =>
  javaKeystoreKind(bytes) === undefined ? 'the PKCS#12 file' : 'the Java keystore';

/** What it takes to decrypt the parts of one file. */
interface Opener {
  readonly passphrase: Passphrase;
  /** What to say where a part doesn't decrypt. */
  readonly refusal: string;
  readonly budget: WorkBudget;
}

/**
 * Reads a PKCS#12 file (RFC 7292), DER or BER: MACs with SHA-1 and SHA-2 and PBMAC1 (RFC 9579), encryption with AES,
 * Camellia, triple DES, DES, RC2 and RC4, keys derived by PBKDF2, scrypt or PKCS#12's own way. A file without a MAC is read too.
 * At most 1 MiB, and 4 million rounds of key derivation, are accepted, which keep the calling thread busy.
 * @param passphrase undefined and '' both open a file that was made without one
 * @throws CredentialsError 'passphrase', 'malformed' or 'unsupported'
 */
export function readPkcs12(bytes: Uint8Array, passphrase: string | undefined): Pkcs12Contents {
  try {
    if (javaKeystoreKind(bytes) !== undefined) throw onlyOffThread();
    return openAtOnce(open(bytes, passphrase, new WorkBudget('at-once')));
  } catch (error) {
    throw asCredentialsError(subjectOf(bytes), error);
  }
}

/** As `readPkcs12`, with up to 8 million rounds of key derivation off the main thread; Java's older key stores (JKS, JCEKS) too. */
export async function readPkcs12OffThread(
  bytes: Uint8Array,
  passphrase: string | undefined,
): Promise<Pkcs12Contents> {
  try {
    const budget = new WorkBudget('off-thread');
    if (javaKeystoreKind(bytes) === undefined) return await openOffThread(open(bytes, passphrase, budget));
    const { openJavaKeystore } = await import('../other-formats.js');
    return await openOffThread(openJavaKeystore(bounded(bytes), passphrase, budget));
  } catch (error) {
    throw asCredentialsError(subjectOf(bytes), error);
  }
}

function onlyOffThread(): FileProblem {
  return unsupported('is of the old kind, which is read off the main thread only', {
    hint: 'Load it by loadCredentials, or convert it: knsock certs convert FILE --to pkcs12.',
  });
}

function* open(
  bytes: Uint8Array,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<Pkcs12Contents> {
  const pfx = decode(derOf(bytes), 'outermost layer', readPfx);
  const opener = yield* openerOf(pfx, passphrase, budget);
  const bags: SafeBag[] = [];
  for (const part of decode(pfx.authenticatedSafe, 'list of contents', readParts))
    bags.push(...decode(yield* openPart(part, opener), 'safe contents', readSafeBags));
  const keys: Pkcs12Contents['keys'][number][] = [];
  const locked: KeyBag[] = [];
  for (const bag of bags) {
    if (bag.kind === 'certificate') continue;
    const key = yield* openKey(bag, opener);
    if (key === undefined) locked.push(bag);
    else keys.push(key);
  }
  if (locked.length > 0 && keys.length === 0) throw wrongPassphrase(opener.refusal);
  return { certificates: bags.filter((bag) => bag.kind === 'certificate'), keys, locked };
}

/** Whether an input is PKCS#12 or one of Java's key stores, in any form that `readPkcs12` reads. */
export function isKeyStore(input: Uint8Array): boolean {
  if (javaKeystoreKind(input) !== undefined) return true;
  const text = textOf(input);
  if (text?.includes('-----BEGIN PKCS12-----') === true) return true;
  const der = text === undefined ? input : bareBase64(text);
  return der !== undefined && kindOfDer(der) === 'PKCS#12';
}

/** DER or BER as it is, or from its base64, as settings pages and secrets hold it. @throws FileProblem 'malformed' */
function derOf(input: Uint8Array): Buffer {
  const bytes = bounded(input);
  const text = textOf(bytes);
  const pem = text?.includes('-----BEGIN PKCS12-----') === true ? pkcs12Block(text) : undefined;
  const der = pem ?? (text === undefined ? bytes : bareBase64(text));
  if (der !== undefined && kindOfDer(der) === 'PKCS#12') return withoutPadding(der);
  const { what, advice } = describeContent(bytes, 'PKCS#12 file');
  throw new FileProblem('malformed', `can't be read: ${what}`, { hint: advice });
}

function bounded(bytes: Uint8Array): Buffer {
  if (bytes.length <= MAX_BYTES) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const [size, limit] = [bytes.length.toLocaleString('en'), MAX_BYTES.toLocaleString('en')];
  throw malformed(`has ${size} bytes, over the limit of ${limit}`);
}

function pkcs12Block(text: string): Buffer | undefined {
  try {
    return splitPem(text).find(({ label }) => label === 'PKCS12')?.der;
  } catch (error) {
    if (error instanceof MalformedDerError) return undefined;
    throw error;
  }
}

/** Finds the passphrase's form by the MAC; without one, the form that nearly every program uses is assumed. */
function* openerOf(
  { authenticatedSafe, mac }: Pfx,
  passphrase: string | undefined,
  budget: WorkBudget,
): Opening<Opener> {
  const refusal =
    passphrase === undefined
      ? 'is locked with a passphrase, and none was given'
      : "isn't opened by the passphrase, or was changed after it was made";
  if (mac === undefined) return { passphrase: passphraseForms(passphrase ?? '')[0], refusal, budget };
  const other = "has a MAC that the passphrase fits, but what is encrypted inside isn't opened by it";
  for (const form of passphraseForms(passphrase)) {
    if (yield* mac.fits(authenticatedSafe, form, budget)) return { passphrase: form, refusal: other, budget };
  }
  throw wrongPassphrase(refusal);
}

function* openPart(part: Part, opener: Opener): Opening<Buffer> {
  if (part.kind === 'clear') return part.data;
  const plain = yield* decrypt(part.algorithm, part.encrypted, opener);
  if (plain === undefined) throw wrongPassphrase(opener.refusal);
  return plain;
}

type KeyBag = Exclude<SafeBag, { kind: 'certificate' }>;

/** Undefined for a key with a passphrase of its own. */
function* openKey(bag: KeyBag, opener: Opener): Opening<Pkcs12Contents['keys'][number] | undefined> {
  const pkcs8 = bag.kind === 'key' ? bag.pkcs8 : yield* decrypt(bag.algorithm, bag.encrypted, opener);
  if (pkcs8 === undefined) return undefined;
  const { localKeyId, friendlyName } = bag;
  return { key: readPkcs8(pkcs8, 'holds a private key'), localKeyId, friendlyName };
}

function* decrypt(
  algorithm: AlgorithmIdentifier,
  encrypted: Buffer,
  { passphrase, budget }: Opener,
): Opening<Buffer | undefined> {
  return yield* decryptDer(algorithm, encrypted, passphrase, budget);
}
