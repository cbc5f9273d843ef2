import { Tag, type DerReader } from './der.js';

/** Whether a certificate is a CA's, and how many CAs may follow it (RFC 5280 4.2.1.9). */
export interface BasicConstraints {
  /** Whether it is a CA's. */
  readonly ca: boolean;
  /** How many CAs may stand below it; undefined: any number. */
  readonly pathLength: number | undefined;
}

/** DER leaves `cA` out where it is false; real issuers write it, and that is unambiguous, so both are read. */
export function readBasicConstraints(reader: DerReader): BasicConstraints {
  const sequence = reader.enter(Tag.sequence, 'basic constraints');
  const ca = sequence.has(Tag.boolean) ? sequence.boolean('cA') : false;
  const pathLength = sequence.isDone ? undefined : sequence.smallInteger(0xffff, 'path length');
  sequence.finish('basic constraints');
  return { ca, pathLength };
}
