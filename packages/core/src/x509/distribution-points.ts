import { contextTag, Tag, type DerReader } from './der.js';
import { readGeneralNames, type GeneralName } from './general-names.js';
import { readRelativeName, type DistinguishedName, type NameAttribute } from './name.js';
import { readReasonFlags, type ReasonSet } from './reason-flags.js';

/** Where something is published: by full names, or by a name relative to its issuer's (RFC 5280 4.2.1.13). */
export interface DistributionPointName {
  /** The full names; empty where the name is relative, or there is none. */
  readonly names: readonly GeneralName[];
  /** What comes after the issuer's name. */
  readonly relative: readonly NameAttribute[] | undefined;
}

/** Where a CRL for a certificate is published (RFC 5280 4.2.1.13). */
export interface DistributionPoint extends DistributionPointName {
  /** The reasons that the CRL there covers; undefined: all. */
  readonly reasons: ReasonSet | undefined;
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
export function readPointName(reader: DerReader): DistributionPointName {
  const tag = contextTag(0, 'constructed');
  if (!reader.has(tag)) return { names: [], relative: undefined };
  const choice = reader.enter(tag, what);
  const relativeTag = contextTag(1, 'constructed');
  const name: DistributionPointName = choice.has(relativeTag)
    ? { names: [], relative: readRelativeName(choice.enter(relativeTag, what), what) }
    : { names: readGeneralNames(choice, what, tag), relative: undefined };
  choice.finish(what);
  return name;
}

/** The full names of a point; a relative one is completed by its issuer's (RFC 5280 6.3.3 b 2 i). */
export function fullNames(
  { names, relative }: DistributionPointName,
  issuer: DistinguishedName,
): readonly GeneralName[] {
  return relative === undefined ? names : [{ kind: 'directory', value: issuer.child(relative) }];
}

/** Whether a point says where it is. */
export const isNamed = ({ names, relative }: DistributionPointName): boolean =>
  names.length > 0 || relative !== undefined;

function readPoint(reader: DerReader): DistributionPoint {
  const name = readPointName(reader);
  const reasonsTag = contextTag(1, 'primitive');
  const reasons = reader.has(reasonsTag) ? readReasonFlags(reader, what, reasonsTag) : undefined;
  const issuerTag = contextTag(2, 'constructed');
  const crlIssuer = reader.has(issuerTag) ? readGeneralNames(reader, what, issuerTag) : undefined;
  reader.finish(what);
  return { ...name, reasons, crlIssuer };
}
