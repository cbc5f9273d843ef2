/** The secret by which a machine enrols once: 192 random bits, of which the authority keeps a hash alone. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** What the machine is given; neither part has a colon, so that both fit HTTP Basic. */
export interface TokenSecret {
  /** Names the token; no secret. */
  readonly id: string;
  /** What proves it: 192 random bits, base64url. */
  readonly secret: string;
}

export function newSecret(): TokenSecret {
  return { id: randomBytes(8).toString('hex'), secret: randomBytes(24).toString('base64url') };
}

/** Random secrets of this length need no slow hash. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In constant time, for an unknown token too. @param hash of the token's secret; undefined where there is no such token */
export function secretMatches(hash: string | undefined, secret: string): boolean {
  const expected = Buffer.from(hash ?? hashSecret('no token has this secret'), 'hex');
  const equal = timingSafeEqual(expected, Buffer.from(hashSecret(secret), 'hex'));
  return equal && hash !== undefined;
}
