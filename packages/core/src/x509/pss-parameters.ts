import { readAlgorithm } from './algorithm.js';
import { contextTag, DerReader, Tag } from './der.js';

/** RSASSA-PSS-params (RFC 4055 3.1) with its defaults filled in; hashes by identifier. */
export interface PssParameters {
  readonly hash: string;
  readonly maskHash: string;
  readonly saltLength: number;
  readonly trailer: number;
}

const MGF1 = '1.2.840.113549.1.1.8';
export const SHA_1 = '1.3.14.3.2.26';
const MAX_SALT_BYTES = 1_024;
const what = 'RSA-PSS parameters';

/** @throws MalformedDerError */
export function readPssParameters(der: Buffer): PssParameters {
  const outer = new DerReader(der);
  const reader = outer.enter(Tag.sequence, what);
  outer.finish(what);
  const hash = readTagged(reader, 0, (inner) => readAlgorithm(inner, 'RSA-PSS hash').oid) ?? SHA_1;
  const maskHash = readTagged(reader, 1, readMaskHash) ?? SHA_1;
  const saltLength =
    readTagged(reader, 2, (inner) => inner.smallInteger(MAX_SALT_BYTES, 'RSA-PSS salt length')) ?? 20;
  const trailer = readTagged(reader, 3, (inner) => inner.smallInteger(1, 'RSA-PSS trailer')) ?? 1;
  reader.finish(what);
  return { hash, maskHash, saltLength, trailer };
}

function readTagged<T>(reader: DerReader, number: number, read: (inner: DerReader) => T): T | undefined {
  const tag = contextTag(number, 'constructed');
  if (!reader.has(tag)) return undefined;
  const inner = reader.enter(tag, what);
  const value = read(inner);
  inner.finish(what);
  return value;
}

function readMaskHash(reader: DerReader): string {
  const mask = readAlgorithm(reader, 'RSA-PSS mask');
  if (mask.oid !== MGF1 || !mask.parameters) reader.fail('RSA-PSS has an unknown mask generator');
  return readAlgorithm(new DerReader(mask.parameters), 'RSA-PSS mask hash').oid;
}
