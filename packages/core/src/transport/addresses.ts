/** The addresses of a host, in the order in which RFC 8305 tries them: alternating families. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { raceAbort } from '../waiting/race-abort.js';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** @throws what the resolver raises, or the signal's reason */
export async function addressesOf(host: string, signal: AbortSignal): Promise<readonly Address[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family }];
  return interleave(await raceAbort(lookup(host, { all: true, verbatim: true }), signal));
}

/** The family that the resolver returned first goes first, then the two alternate (RFC 8305 4). */
function interleave(found: readonly Address[]): readonly Address[] {
  const first = found.filter(({ family }) => family === found[0]?.family);
  const second = found.filter(({ family }) => family !== found[0]?.family);
  const order: Address[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    for (const address of [first[index], second[index]]) if (address !== undefined) order.push(address);
  }
  return order;
}
