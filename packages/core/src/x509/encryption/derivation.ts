/**
 * Keys made from passphrases. A reader that needs one yields what it takes to make it; the caller that runs the reader decides
 * whether that is done at once or off the main thread, so that there is one reader for both.
 */
import { pbkdf2, pbkdf2Sync, scrypt, scryptSync, type ScryptOptions } from '../../node/crypto.js';
import { deriveOld, roundsOf, type OldDerivation } from './legacy-derivation.js';

export type Derivation =
  | {
      readonly kind: 'pbkdf2';
      readonly passphrase: Buffer;
      readonly salt: Buffer;
      readonly iterations: number;
      readonly length: number;
      readonly hash: string;
    }
  | {
      readonly kind: 'scrypt';
      readonly passphrase: Buffer;
      readonly salt: Buffer;
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelization: number;
      readonly length: number;
    }
  /** What a reader loaded on demand derives by itself, off the main thread or a little at a time. */
  | { readonly kind: 'own'; derive(): Promise<Buffer> }
  | OldDerivation;

/** The reading of something locked: it asks for keys and ends with what was inside. */
export type Opening<T> = Generator<Derivation, T, Buffer>;

const MAX_MEMORY = 257 * 1_048_576;
/** Rounds of a hash between two turns of the event loop: some milliseconds. */
const ROUNDS_A_TURN = 2_000;

/** Runs a reading on the calling thread. */
export function openAtOnce<T>(opening: Opening<T>): T {
  let step = opening.next();
  while (step.done !== true) step = opening.next(deriveAtOnce(step.value));
  return step.value;
}

/** Runs a reading, deriving keys in Node's thread pool or, where that can't, a few milliseconds at a time. */
export async function openOffThread<T>(opening: Opening<T>): Promise<T> {
  let step = opening.next();
  while (step.done !== true) step = opening.next(await derive(step.value));
  return step.value;
}

function deriveAtOnce(derivation: Derivation): Buffer {
  switch (derivation.kind) {
    case 'pbkdf2': {
      const { passphrase, salt, iterations, length, hash } = derivation;
      return pbkdf2Sync(passphrase, salt, iterations, length, hash);
    }
    case 'scrypt': {
      const { passphrase, salt, length, ...options } = derivation;
      return scryptSync(passphrase, salt, length, { ...options, maxmem: MAX_MEMORY });
    }
    case 'own':
      throw new Error('a derivation of its own was asked for at once');
    default: {
      const work = deriveOld(derivation, roundsOf(derivation));
      let step = work.next();
      while (step.done !== true) step = work.next();
      return step.value;
    }
  }
}

async function derive(derivation: Derivation): Promise<Buffer> {
  switch (derivation.kind) {
    case 'pbkdf2': {
      const { passphrase, salt, iterations, length, hash } = derivation;
      return settled((done) => {
        pbkdf2(passphrase, salt, iterations, length, hash, done);
      });
    }
    case 'scrypt': {
      const { passphrase, salt, length, ...options } = derivation;
      const bounded: ScryptOptions = { ...options, maxmem: MAX_MEMORY };
      return settled((done) => {
        scrypt(passphrase, salt, length, bounded, done);
      });
    }
    case 'own':
      return derivation.derive();
    default:
      return inTurns(deriveOld(derivation, ROUNDS_A_TURN));
  }
}

/** Goes on with a piece of work each turn of the event loop. */
export async function inTurns(work: Generator<void, Buffer>): Promise<Buffer> {
  let step = work.next();
  while (step.done !== true) {
    await nextTurn();
    step = work.next();
  }
  return step.value;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What a callback of Node's gives, as a promise; node:util, which would do the same, takes long to load. */
function settled(start: (done: (error: Error | null, key: Buffer) => void) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    start((error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
