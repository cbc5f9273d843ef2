import type { KeyObject } from 'node:crypto';
import type { AlgorithmIdentifier } from '../algorithm.js';
import { readParts, readPfx, type Part, type Pfx } from './authenticated-safe.js';
import { decryptDer } from './encryption.js';
import { passphraseForms, type Passphrase } from './passphrase.js';
import { readPrivateKey } from './private-key.js';
import { decode, garbage, wrongPassphrase } from './problem.js';
import { readSafeBags, type SafeBag } from './safe-bags.js';
import { WorkBudget } from './work-budget.js';

/** What a PKCS#12 file holds, in its order; equal local key ids say that a key and a certificate belong together. */
export interface Pkcs12Contents {
  readonly certificates: readonly { readonly der: Buffer; readonly localKeyId: Buffer | undefined }[];
  readonly keys: readonly { readonly key: KeyObject; readonly localKeyId: Buffer | undefined }[];
}

/** A file with a whole trust store in it stays under this. */
const MAX_BYTES = 1024 * 1024;

/** What it takes to decrypt the parts of one file. */
interface Opener {
  readonly passphrase: Passphrase;
  /** What to say where a part doesn't decrypt. */
  readonly refusal: string;
  readonly budget: WorkBudget;
}

/**
 * Reads a PKCS#12 file (RFC 7292) written in DER: MACs with SHA-1 and SHA-2 and PBMAC1 (RFC 9579), encryption with
 * AES-CBC or triple DES, keys derived by PBKDF2, scrypt or PKCS#12's own way. A file without a MAC is read too.
 * At most 1 MiB, and 10 million rounds of key derivation, are accepted.
 * @param passphrase undefined and '' both open a file that was made without one
 * @throws CredentialsError 'passphrase', 'garbage' or 'unsupported'
 */
export function readPkcs12(bytes: Uint8Array, passphrase: string | undefined): Pkcs12Contents {
  requirePlausible(bytes);
  const pfx = decode(Buffer.from(bytes), 'outermost layer', readPfx);
  const opener = openerOf(pfx, passphrase);
  const parts = decode(pfx.authenticatedSafe, 'list of contents', readParts);
  const bags = parts.flatMap((part) => decode(openPart(part, opener), 'safe contents', readSafeBags));
  return {
    certificates: bags.filter((bag) => bag.kind === 'certificate'),
    keys: bags.flatMap((bag) => openKey(bag, opener)),
  };
}

function requirePlausible(bytes: Uint8Array): void {
  if (bytes.length > MAX_BYTES) {
    const [size, limit] = [bytes.length.toLocaleString('en'), MAX_BYTES.toLocaleString('en')];
    throw garbage(`has ${size} bytes, over the limit of ${limit}`);
  }
  if (Buffer.from(bytes.subarray(0, 11)).toString('latin1') === '-----BEGIN ')
    throw garbage('is PEM text: give it as certificate and key');
}

/** Finds the passphrase's form by the MAC; without one, the form that nearly every program uses is assumed. */
function openerOf({ authenticatedSafe, mac }: Pfx, passphrase: string | undefined): Opener {
  const budget = new WorkBudget();
  const refusal =
    passphrase === undefined
      ? 'the PKCS#12 file is locked with a passphrase, and none was given'
      : 'the passphrase doesn’t open the PKCS#12 file, or the file was changed after it was made';
  if (mac === undefined) return { passphrase: passphraseForms(passphrase ?? '')[0], refusal, budget };
  const fitting = passphraseForms(passphrase).find((form) => mac.fits(authenticatedSafe, form, budget));
  if (fitting === undefined) throw wrongPassphrase(refusal);
  const other = 'the passphrase fits the MAC of the PKCS#12 file, but doesn’t open what is encrypted inside';
  return { passphrase: fitting, refusal: other, budget };
}

const openPart = (part: Part, opener: Opener): Buffer =>
  part.kind === 'clear' ? part.data : decrypt(part.algorithm, part.encrypted, opener);

function openKey(bag: SafeBag, opener: Opener): Pkcs12Contents['keys'] {
  if (bag.kind === 'certificate') return [];
  const pkcs8 = bag.kind === 'key' ? bag.pkcs8 : decrypt(bag.algorithm, bag.encrypted, opener);
  return [{ key: readPrivateKey(pkcs8), localKeyId: bag.localKeyId }];
}

function decrypt(
  algorithm: AlgorithmIdentifier,
  encrypted: Buffer,
  { passphrase, refusal, budget }: Opener,
): Buffer {
  const plain = decryptDer(algorithm, encrypted, passphrase, budget);
  if (plain === undefined) throw wrongPassphrase(refusal);
  return plain;
}
