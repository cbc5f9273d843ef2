import { Tag, type DerReader } from './der.js';

/** An AlgorithmIdentifier (RFC 5280 4.1.1.2). */
export interface AlgorithmIdentifier {
  /** Dotted. */
  readonly oid: string;
  /** The DER of the parameters, NULL included; undefined where there are none. */
  readonly parameters: Buffer | undefined;
  /** All of it, for comparing two. */
  readonly der: Buffer;
}

export function readAlgorithm(reader: DerReader, what: string): AlgorithmIdentifier {
  const start = reader.position;
  const sequence = reader.enter(Tag.sequence, what);
  const oid = sequence.oid(what);
  const parameters = sequence.isDone ? undefined : sequence.element(what);
  sequence.finish(what);
  return { oid, parameters, der: reader.bytes.subarray(start, reader.position) };
}

/** Whether the parameters are a NULL, or left out as many issuers do where RFC 4055 wants a NULL. */
export function hasNullParameters({ parameters }: AlgorithmIdentifier): boolean {
  return parameters === undefined || (parameters.length === 2 && parameters[0] === Tag.null);
}
