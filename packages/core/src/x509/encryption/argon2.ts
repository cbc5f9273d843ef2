/** Argon2 (RFC 9106), for PuTTY's keys: only where Node has it, from 24.7 on. */
import { unsupported } from './problem.js';

export interface Argon2Derivation {
  readonly kind: 'argon2';
  readonly variant: 'argon2d' | 'argon2i' | 'argon2id';
  readonly passphrase: Buffer;
  readonly salt: Buffer;
  /** In KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly length: number;
}

/** One pass over a KiB takes about as long as three rounds of PBKDF2. */
const COST_OF_KIB = 3;

/** What it costs, in rounds of PBKDF2. */
export const argon2Cost = ({ memory, passes }: Argon2Derivation): number => memory * passes * COST_OF_KIB;

interface Argon2Parameters {
  readonly message: Buffer;
  readonly nonce: Buffer;
  readonly parallelism: number;
  readonly tagLength: number;
  readonly memory: number;
  readonly passes: number;
}

/** What the types of Node 20 don't know. */
interface CryptoWithArgon2 {
  readonly argon2?: (
    variant: string,
    parameters: Argon2Parameters,
    done: (error: Error | null, key: Buffer) => void,
  ) => void;
  readonly argon2Sync?: (variant: string, parameters: Argon2Parameters) => Buffer;
}

/** @throws FileProblem 'unsupported' where this Node has no Argon2 */
export function argon2AtOnce(derivation: Argon2Derivation): Buffer {
  const { argon2Sync = missing } = nodeCrypto();
  return argon2Sync(derivation.variant, parametersOf(derivation));
}

/** In Node's thread pool. @throws FileProblem 'unsupported' where this Node has no Argon2 */
export function argon2(derivation: Argon2Derivation, done: (error: Error | null, key: Buffer) => void): void {
  const { argon2: derive = missing } = nodeCrypto();
  derive(derivation.variant, parametersOf(derivation), done);
}

const nodeCrypto = (): CryptoWithArgon2 => process.getBuiltinModule('node:crypto') as CryptoWithArgon2;

function parametersOf({ passphrase, salt, length, ...rest }: Argon2Derivation): Argon2Parameters {
  const { memory, passes, parallelism } = rest;
  return { message: passphrase, nonce: salt, tagLength: length, memory, passes, parallelism };
}

function missing(): never {
  throw unsupported('is locked by Argon2, which Node has from version 24.7 on', {
    hint: 'puttygen FILE -O private-openssh-new -o NEW makes it an OpenSSH key, which is read here with the same passphrase.',
  });
}
