import { failure, type Failure } from '../failure.js';
import type { PathValidation } from '../path-validation.js';
import { keyWeakness, MAX_SENT_RSA_BITS } from '../key-strength.js';

/**
 * Checks that every key is of an accepted kind and size, an anchor's chosen by its user; signature algorithms are judged
 * where signatures are checked.
 */
export function checkStrength({ path, rules }: Pick<PathValidation, 'path' | 'rules'>): Failure | undefined {
  for (const [depth, { publicKeyInfo }] of path.entries()) {
    const isAnchor = depth === path.length - 1;
    const weakness = keyWeakness(publicKeyInfo, rules, isAnchor ? undefined : MAX_SENT_RSA_BITS);
    if (weakness !== undefined) return failure('weak', path, depth, `has ${weakness}`);
  }
  return undefined;
}
