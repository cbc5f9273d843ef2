/** The secret with which a machine enrols once: 192 random bits, of which the authority keeps only a hash. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What the machine receives; neither part has a colon, so that both fit HTTP Basic. */
export interface TokenSecret {
  /** Identifies the token; not secret. */
  readonly id: string;
  /** The secret: 192 random bits, base64url. */
  readonly secret: string;
}

export function newSecret(): TokenSecret {
  return { id: randomBytes(8).toString('hex'), secret: randomBytes(24).toString('base64url') };
}

/** Random secrets of this length need no slow hash. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In constant time, for an unknown token too. @param hash of the token's secret; undefined if there is no such token */
export function secretMatches(hash: string | undefined, secret: string): boolean {
  const expected = Buffer.from(hash ?? hashSecret('no token has this secret'), 'hex');
  const equal = timingSafeEqual(expected, Buffer.from(hashSecret(secret), 'hex'));
  return equal && hash !== undefined;
}
