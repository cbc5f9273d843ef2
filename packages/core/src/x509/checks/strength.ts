import { failure, type Failure } from '../failure.js';
import type { Judgement } from '../judgement.js';
import { keyWeakness } from '../key-strength.js';

/** Checks that every key is of an accepted kind and size; signature algorithms are judged where signatures are checked. */
export function checkStrength({ path, rules }: Judgement): Failure | undefined {
  for (const [depth, { publicKeyInfo }] of path.entries()) {
    const weakness = keyWeakness(publicKeyInfo, rules);
    if (weakness !== undefined) return failure('weak', path, depth, `has ${weakness}`);
  }
  return undefined;
}
