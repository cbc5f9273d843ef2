import { printable } from '../errors/printable.js';
import { Tag, type DerReader } from './der.js';
import { readDirectoryString } from './directory-string.js';
import { attributeNames, attributeOid } from './oid.js';

/** One attribute of a distinguished name. */
export interface NameAttribute {
  /** The attribute's type, dotted. */
  readonly type: string;
  /** Its text; of a value that isn't a string, `#` and its DER in hex. */
  readonly value: string;
}

/** A distinguished name (RFC 5280 4.1.2.4), compared as RFC 5280 7.1 says: letter case and runs of spaces don't count. */
export class DistinguishedName {
  /** The whole name. */
  readonly der: Buffer;
  /** The relative names from the root downwards; nearly always of one attribute each. */
  readonly relativeNames: readonly (readonly NameAttribute[])[];
  #keys: readonly string[] | undefined;
  #key: string | undefined;

  constructor(der: Buffer, relativeNames: readonly (readonly NameAttribute[])[]) {
    this.der = der;
    this.relativeNames = relativeNames;
  }

  /** Whether it has no part at all. */
  get isEmpty(): boolean {
    return this.relativeNames.length === 0;
  }

  /** Equal for equal names, and only for them. */
  get key(): string {
    return (this.#key ??= this.#relativeKeys().join('\n'));
  }

  /** Its CN values, in their order. */
  get commonNames(): string[] {
    return this.values(attributeOid.commonName);
  }

  /** Its OU values, in their order. */
  get organizationalUnits(): string[] {
    return this.values(attributeOid.organizationalUnit);
  }

  /** The values of every attribute of that type, in order. */
  values(type: string): string[] {
    return this.relativeNames
      .flat()
      .flatMap((attribute) => (attribute.type === type ? [attribute.value] : []));
  }

  /** Whether two names are the same by RFC 5280 7.1: without case, white space folded. */
  equals(other: DistinguishedName): boolean {
    return this.key === other.key;
  }

  /** The name below this one; for comparing, since it stands in no file. */
  child(attributes: readonly NameAttribute[]): DistinguishedName {
    return new DistinguishedName(Buffer.alloc(0), [...this.relativeNames, attributes]);
  }

  /** Whether this name lies in the subtree that starts at `base` (RFC 5280 4.2.1.10). */
  isWithin(base: DistinguishedName): boolean {
    const keys = this.#relativeKeys();
    const baseKeys = base.#relativeKeys();
    return baseKeys.length <= keys.length && baseKeys.every((key, index) => key === keys[index]);
  }

  /** As OpenSSL prints it: `C=DE, O=Example, CN=example.com`, with RFC 4514's escapes. */
  toString(): string {
    const show = (rdn: readonly NameAttribute[]): string => rdn.map(showAttribute).join(' + ');
    return this.relativeNames.map(show).join(', ') || '(empty name)';
  }

  #relativeKeys(): readonly string[] {
    return (this.#keys ??= this.relativeNames.map(relativeKey));
  }
}

/** Reads a Name. */
export function readName(reader: DerReader, what: string): DistinguishedName {
  const start = reader.position;
  const sequence = reader.enter(Tag.sequence, what);
  const relativeNames: NameAttribute[][] = [];
  while (!sequence.isDone) relativeNames.push(readRelativeName(sequence.enter(Tag.set, what), what));
  return new DistinguishedName(reader.bytes.subarray(start, reader.position), relativeNames);
}

/** Reads the attributes of one relative name: a SET's content, at least one. */
export function readRelativeName(set: DerReader, what: string): NameAttribute[] {
  if (set.isDone) set.fail(`${what} has a part without attributes`);
  const attributes: NameAttribute[] = [];
  while (!set.isDone) attributes.push(readAttribute(set.enter(Tag.sequence, what), what));
  return attributes;
}

function readAttribute(reader: DerReader, what: string): NameAttribute {
  const type = reader.oid(what);
  const value = readDirectoryString(reader, what) ?? `#${reader.element(what).toString('hex')}`;
  reader.finish(what);
  return { type, value };
}

/** JSON keeps values apart whatever they contain; sorting makes the order within a SET irrelevant. */
function relativeKey(attributes: readonly NameAttribute[]): string {
  return JSON.stringify(attributes.map(({ type, value }) => `${type}=${normalized(value)}`).sort());
}

function normalized(value: string): string {
  return value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

function showAttribute({ type, value }: NameAttribute): string {
  return `${attributeNames[type] ?? type}=${escaped(value)}`;
}

function escaped(value: string): string {
  return printable(value.replace(/[\\,+"<>;]/g, '\\$&'));
}
