import { DerReader, Tag } from './der.js';

/** One extension, its value not yet looked into. */
export interface Extension {
  /** Dotted. */
  readonly oid: string;
  /** Whether a verifier must understand it. */
  readonly critical: boolean;
  /** The DER inside the OCTET STRING. */
  readonly value: Buffer;
  /** Where that starts in the file. */
  readonly offset: number;
}

/** The extensions of a certificate, a CRL or a CRL entry, by identifier. */
export type Extensions = ReadonlyMap<string, Extension>;

export const noExtensions: Extensions = new Map();

/** Reads Extensions (RFC 5280 4.2): at least one, none of them twice. */
export function readExtensions(reader: DerReader, what: string): Extensions {
  const sequence = reader.enter(Tag.sequence, what);
  if (sequence.isDone) sequence.fail(`${what} are an empty list`);
  const extensions = new Map<string, Extension>();
  while (!sequence.isDone) {
    const start = sequence.position;
    const extension = readExtension(sequence.enter(Tag.sequence, what), what);
    if (extensions.has(extension.oid)) sequence.fail(`${what} contain ${extension.oid} twice`, start);
    extensions.set(extension.oid, extension);
  }
  return extensions;
}

/** Decodes an extension's whole value, if the extension is there. */
export function decodeExtension<T>(
  extensions: Extensions,
  oid: string,
  decode: (reader: DerReader) => T,
): T | undefined {
  const extension = extensions.get(oid);
  if (!extension) return undefined;
  const reader = extensionReader(extension);
  const value = decode(reader);
  reader.finish(`extension ${oid}`);
  return value;
}

/** A reader of an extension's value whose errors tell offsets in the whole file. */
export function extensionReader({ value, offset }: Extension): DerReader {
  return new DerReader(value, 0, value.length, 0, offset);
}

/** DER leaves `critical` out where it is false; real issuers write it, and that is unambiguous, so both are read. */
function readExtension(reader: DerReader, what: string): Extension {
  const oid = reader.oid(what);
  const critical = reader.has(Tag.boolean) ? reader.boolean(what) : false;
  const value = reader.content(Tag.octetString, what);
  reader.finish(what);
  return { oid, critical, value, offset: reader.fileOffset - value.length };
}
