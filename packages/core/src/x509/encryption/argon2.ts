/** Argon2 (RFC 9106), for PuTTY's keys: only where Node has it, from 24.7 on. */
import { unsupported } from './problem.js';

export interface Argon2Parameters {
  readonly message: Buffer;
  readonly nonce: Buffer;
  readonly parallelism: number;
  /** How many bytes to derive. */
  readonly tagLength: number;
  /** In KiB. */
  readonly memory: number;
  readonly passes: number;
}

/** One pass over a KiB takes about as long as three rounds of PBKDF2. */
const COST_OF_KIB = 3;

/** What it costs, in rounds of PBKDF2. */
export const argon2Cost = ({ memory, passes }: Argon2Parameters): number => memory * passes * COST_OF_KIB;

/** What the types of Node 20 don't know. */
interface CryptoWithArgon2 {
  readonly argon2?: (
    variant: string,
    parameters: Argon2Parameters,
    done: (error: Error | null, key: Buffer) => void,
  ) => void;
}

/** Derives in Node's thread pool. Rejects with FileProblem 'unsupported' where this Node has no Argon2. */
export function argon2(
  variant: 'argon2d' | 'argon2i' | 'argon2id',
  parameters: Argon2Parameters,
): Promise<Buffer> {
  const { argon2: derive } = process.getBuiltinModule('node:crypto') as CryptoWithArgon2;
  return new Promise((resolve, reject) => {
    if (derive === undefined)
      throw unsupported('is locked by Argon2, which Node has from version 24.7 on', {
        hint: 'puttygen FILE -O private-openssh-new -o NEW makes it an OpenSSH key, which is read here with the same passphrase.',
      });
    derive(variant, parameters, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
