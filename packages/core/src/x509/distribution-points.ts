import { contextTag, Tag, type DerReader } from './der.js';
import { readGeneralNames, type GeneralName } from './general-names.js';
import { readRelativeName } from './name.js';

/** Where a CRL for a certificate is published (RFC 5280 4.2.1.13). */
export interface DistributionPoint {
  /** The full names; empty where the point is given relative to its issuer, or not at all. */
  readonly names: readonly GeneralName[];
  /** Whether the CRL covers some reasons only. */
  readonly hasReasons: boolean;
  /** Who signs the CRL, where that isn't the certificate's issuer. */
  readonly crlIssuer: readonly GeneralName[] | undefined;
}

const what = 'CRL distribution points';

export function readDistributionPoints(reader: DerReader): readonly DistributionPoint[] {
  const sequence = reader.enter(Tag.sequence, what);
  if (sequence.isDone) sequence.fail(`${what} are an empty list`);
  const points: DistributionPoint[] = [];
  while (!sequence.isDone) points.push(readPoint(sequence.enter(Tag.sequence, what)));
  return points;
}

/** Reads `[0] DistributionPointName`, if it is there. */
export function readPointNames(reader: DerReader): readonly GeneralName[] {
  const tag = contextTag(0, 'constructed');
  if (!reader.has(tag)) return [];
  const choice = reader.enter(tag, what);
  const names = choice.has(contextTag(1, 'constructed'))
    ? readRelative(choice)
    : readGeneralNames(choice, what, tag);
  choice.finish(what);
  return names;
}

/** A name relative to the issuer's is legal, used by nobody, and here matches nothing. */
function readRelative(choice: DerReader): readonly GeneralName[] {
  readRelativeName(choice.enter(contextTag(1, 'constructed'), what), what);
  return [];
}

function readPoint(reader: DerReader): DistributionPoint {
  const names = readPointNames(reader);
  const reasonsTag = contextTag(1, 'primitive');
  const hasReasons = reader.has(reasonsTag);
  if (hasReasons) reader.bitString(what, reasonsTag);
  const issuerTag = contextTag(2, 'constructed');
  const crlIssuer = reader.has(issuerTag) ? readGeneralNames(reader, what, issuerTag) : undefined;
  reader.finish(what);
  return { names, hasReasons, crlIssuer };
}
