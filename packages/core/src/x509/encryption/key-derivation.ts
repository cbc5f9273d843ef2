import { readAlgorithm, type AlgorithmIdentifier } from '../algorithm.js';
import { Tag, type DerReader } from '../der.js';
import type { Derivation, Opening } from './derivation.js';
import { decode, unsupported } from './problem.js';
import type { WorkBudget } from './work-budget.js';

/** How a key comes out of a passphrase, read and checked. */
export interface KeyDerivation {
  /** In bytes, where the file says it. */
  readonly keyLength: number | undefined;
  derive(passphrase: Buffer, length: number, budget: WorkBudget): Opening<Buffer>;
}

const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';
const MAX_SALT_BYTES = 1_024;
const MAX_KEY_BYTES = 1_024;
/** scrypt takes 128 · N · r bytes. */
const MAX_SCRYPT_MEMORY = 256 * 1_048_576;

/** The HMACs of RFC 8018 B.1.2, with the length of their output in bytes. */
const hmacs: Readonly<Record<string, { hash: string; bytes: number }>> = {
  '1.2.840.113549.2.7': { hash: 'sha1', bytes: 20 },
  '1.2.840.113549.2.8': { hash: 'sha224', bytes: 28 },
  '1.2.840.113549.2.9': { hash: 'sha256', bytes: 32 },
  '1.2.840.113549.2.10': { hash: 'sha384', bytes: 48 },
  '1.2.840.113549.2.11': { hash: 'sha512', bytes: 64 },
};
const HMAC_SHA1 = '1.2.840.113549.2.7';

/** Reads PBKDF2 (RFC 8018 A.2) or scrypt (RFC 7914 7.1). @throws FileProblem 'malformed' or 'unsupported' */
export function readKeyDerivation({ oid, parameters }: AlgorithmIdentifier): KeyDerivation {
  const read = oid === PBKDF2 ? readPbkdf2 : oid === SCRYPT ? readScrypt : undefined;
  if (read === undefined)
    throw unsupported(`derives its keys by the algorithm ${oid}, which isn't read here`);
  return decode(parameters ?? Buffer.alloc(0), 'key derivation', (reader) =>
    read(reader.enter(Tag.sequence, 'key derivation')),
  );
}

/** The hash of an HMAC's identifier. @throws FileProblem 'unsupported' */
export function hmacOf(oid: string): { hash: string; bytes: number } {
  return hmacs[oid] ?? refuseHmac(oid);
}

/** A salt, which a file has no reason to make long. */
export function readSalt(reader: DerReader): Buffer {
  const salt = reader.content(Tag.octetString, 'salt');
  if (salt.length > MAX_SALT_BYTES) reader.fail(`salt has ${salt.length.toLocaleString('en')} bytes`);
  return salt;
}

/** A count of rounds, at least one; what is too many is for the budget to say. */
export function readIterations(reader: DerReader): number {
  const iterations = reader.smallInteger(Number.MAX_SAFE_INTEGER, 'iteration count');
  return iterations === 0 ? reader.fail('iteration count is 0') : iterations;
}

function* ask(derivation: Derivation): Opening<Buffer> {
  return yield derivation;
}

function readPbkdf2(reader: DerReader): KeyDerivation {
  const salt = readSalt(reader);
  const iterations = readIterations(reader);
  const keyLength = readKeyLength(reader);
  const { hash, bytes } = hmacOf(reader.isDone ? HMAC_SHA1 : readAlgorithm(reader, 'HMAC').oid);
  reader.finish('key derivation');
  return {
    keyLength,
    derive(passphrase, length, budget) {
      budget.spend(iterations * Math.ceil(length / bytes));
      return ask({ kind: 'pbkdf2', passphrase, salt, iterations, length, hash });
    },
  };
}

function readScrypt(reader: DerReader): KeyDerivation {
  const salt = readSalt(reader);
  const [cost, blockSize, parallelization] = [
    readIterations(reader),
    readIterations(reader),
    readIterations(reader),
  ];
  const keyLength = readKeyLength(reader);
  reader.finish('key derivation');
  const shown = `N = ${cost}, r = ${blockSize}, p = ${parallelization}`;
  if (cost < 2 || !Number.isInteger(Math.log2(cost))) reader.fail(`scrypt parameters are invalid: ${shown}`);
  return {
    keyLength,
    derive(passphrase, length, budget) {
      budget.spend(cost * blockSize * parallelization);
      if (128 * cost * blockSize > MAX_SCRYPT_MEMORY)
        throw unsupported(`needs over 256 MiB of memory to be opened (scrypt, ${shown})`, {
          hint: 'Export it again with smaller parameters.',
        });
      return ask({ kind: 'scrypt', passphrase, salt, cost, blockSize, parallelization, length });
    },
  };
}

function readKeyLength(reader: DerReader): number | undefined {
  return reader.has(Tag.integer) ? reader.smallInteger(MAX_KEY_BYTES, 'key length') : undefined;
}

function refuseHmac(oid: string): never {
  throw unsupported(`uses the HMAC ${oid}, which isn't read here`);
}
