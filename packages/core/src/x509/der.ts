import { MalformedDerError } from '../errors/malformed-der.js';

/** The tags that X.509 uses (X.690 8.1.2); every one fits a single byte. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag of `[number]`: constructed where it holds other elements, primitive where it replaces a simple type's own. */
export const contextTag = (number: number, form: 'constructed' | 'primitive'): number =>
  (form === 'constructed' ? 0xa0 : 0x80) | number;

/** X.509 nests a dozen deep; more is an attempt to exhaust the stack. */
const MAX_DEPTH = 32;

/**
 * Reads DER (X.690) strictly, in one direction, without copying: definite and minimal lengths only, nothing past the
 * bounds of the element that contains it, one way to write each value.
 * Every method throws `MalformedDerError` with the offset where the bytes break a rule.
 */
export class DerReader {
  /** The whole input; positions are offsets into it. */
  readonly bytes: Buffer;
  readonly #end: number;
  readonly #depth: number;
  readonly #base: number;
  #at: number;
  #contentStart = 0;
  #contentEnd = 0;

  /** @param base where `bytes` start in the file that errors speak of */
  constructor(bytes: Buffer, start = 0, end: number = bytes.length, depth = 0, base = 0) {
    this.bytes = bytes;
    this.#base = base;
    this.#at = start;
    this.#end = end;
    this.#depth = depth;
  }

  /** Where the next element starts. */
  get position(): number {
    return this.#at;
  }

  /** The same in the file that errors speak of. */
  get fileOffset(): number {
    return this.#base + this.#at;
  }

  get isDone(): boolean {
    return this.#at >= this.#end;
  }

  /** Whether the next element has that tag. */
  has(tag: number): boolean {
    return this.#at < this.#end && this.bytes[this.#at] === tag;
  }

  /** The next element's tag, or -1 at the end. */
  get nextTag(): number {
    return this.#at < this.#end ? (this.bytes[this.#at] as number) : -1;
  }

  /** Steps over the next element and returns a reader of what it holds. */
  enter(tag: number, what: string): DerReader {
    this.#take(tag, what);
    if (this.#depth >= MAX_DEPTH) this.fail(`${what} is nested more than ${MAX_DEPTH} deep`);
    return new DerReader(this.bytes, this.#contentStart, this.#contentEnd, this.#depth + 1, this.#base);
  }

  /** Steps over the next element and returns its content, a view. */
  content(tag: number, what: string): Buffer {
    this.#take(tag, what);
    return this.bytes.subarray(this.#contentStart, this.#contentEnd);
  }

  /** Steps over the next element, whatever it is, and returns all of it, tag and length included. */
  element(what: string): Buffer {
    const start = this.#at;
    this.#take(this.nextTag, what);
    return this.bytes.subarray(start, this.#contentEnd);
  }

  /** An INTEGER's content: two's complement, as short as possible. */
  integer(what: string): Buffer {
    const content = this.content(Tag.integer, what);
    this.#requireMinimal(content, what);
    return content;
  }

  /** An INTEGER from 0 to `max`. */
  smallInteger(max: number, what: string, tag: number = Tag.integer): number {
    const content = this.content(tag, what);
    this.#requireMinimal(content, what);
    if ((content[0] as number) >= 0x80) this.fail(`${what} is negative`);
    const value = content.length > 6 ? Infinity : content.readUIntBE(0, content.length);
    if (value > max) this.fail(`${what} is over ${max.toLocaleString('en')}`);
    return value;
  }

  boolean(what: string): boolean {
    const content = this.content(Tag.boolean, what);
    const value = content[0];
    if (content.length !== 1 || (value !== 0x00 && value !== 0xff))
      this.fail(`${what} is no DER boolean (00 or ff)`);
    return value === 0xff;
  }

  /** A BIT STRING: its bytes, of which the last `unused` bits don't count and are zero. */
  bitString(what: string, tag: number = Tag.bitString): { unused: number; bytes: Buffer } {
    const content = this.content(tag, what);
    const unused = content[0] ?? 8;
    const bytes = content.subarray(1);
    const last = bytes.at(-1) ?? 0;
    if (unused > 7 || (bytes.length === 0 && unused > 0))
      this.fail(`${what} has an impossible number of unused bits`);
    if ((last & ((1 << unused) - 1)) !== 0) this.fail(`${what} has unused bits that are set`);
    return { unused, bytes };
  }

  /** A BIT STRING that holds whole bytes, such as a key or a signature. */
  octetsAsBits(what: string): Buffer {
    const { unused, bytes } = this.bitString(what);
    if (unused !== 0) this.fail(`${what} isn't a whole number of bytes`);
    return bytes;
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  oid(what: string, tag: number = Tag.oid): string {
    return this.#decodeOid(this.content(tag, what), what);
  }

  null(what: string): void {
    if (this.content(Tag.null, what).length > 0) this.fail(`${what} is a NULL with content`);
  }

  /** Says that the container must end here. */
  finish(what: string): void {
    if (!this.isDone) this.fail(`${what} has ${(this.#end - this.#at).toLocaleString('en')} bytes too many`);
  }

  fail(problem: string, offset: number = this.#at): never {
    throw new MalformedDerError(this.#base + offset, problem);
  }

  #take(tag: number, what: string): void {
    const at = this.#at;
    if (at >= this.#end) this.fail(`${what} is missing`);
    if (this.bytes[at] !== tag) this.fail(`${what} has tag ${hex(this.bytes[at])} instead of ${hex(tag)}`);
    if ((tag & 0x1f) === 0x1f) this.fail(`${what} has a tag of several bytes`);
    this.#takeLength(at + 1, what);
    this.#at = this.#contentEnd;
  }

  #takeLength(at: number, what: string): void {
    const first = at < this.#end ? (this.bytes[at] as number) : 0x80;
    if (first === 0x80) this.fail(`${what} has no definite length`, at);
    const size = first < 0x80 ? 0 : first & 0x7f;
    if (size > 4 || at + size >= this.#end) this.fail(`${what} has a length past the end`, at);
    const length = size === 0 ? first : this.bytes.readUIntBE(at + 1, size);
    if (size > 0 && (length < 0x80 || length < 2 ** (8 * (size - 1))))
      this.fail(`${what} has a length that isn't minimal`, at);
    this.#contentStart = at + 1 + size;
    this.#contentEnd = this.#contentStart + length;
    if (this.#contentEnd > this.#end)
      this.fail(`${what} goes ${(this.#contentEnd - this.#end).toLocaleString('en')} bytes past the end`, at);
  }

  #requireMinimal(content: Buffer, what: string): void {
    const first = content[0];
    const second = content[1];
    if (first === undefined) this.fail(`${what} is an integer without bytes`);
    if (second === undefined) return;
    if ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80))
      this.fail(`${what} is an integer that isn't minimal`);
  }

  #decodeOid(content: Buffer, what: string): string {
    if (content.length === 0 || content.length > 64)
      this.fail(`${what} is an identifier of ${content.length} bytes`);
    if ((content.at(-1) as number) >= 0x80) this.fail(`${what} is an identifier cut short`);
    const arcs: (number | bigint)[] = [];
    for (let at = 0, start = 0; at < content.length; at++) {
      if (at === start && content[at] === 0x80) this.fail(`${what} is an identifier that isn't minimal`);
      if ((content[at] as number) >= 0x80) continue;
      arcs.push(decodeArc(content, start, at + 1));
      start = at + 1;
    }
    const first = arcs[0] as number | bigint;
    const root = first < 40 ? 0 : first < 80 ? 1 : 2;
    arcs[0] = typeof first === 'bigint' ? first - BigInt(root * 40) : first - root * 40;
    return `${root}.${arcs.join('.')}`;
  }
}

/** An arc in base 128; only those longer than a safe number pay for a bigint. */
function decodeArc(content: Buffer, start: number, end: number): number | bigint {
  let arc: number | bigint = end - start > 7 ? 0n : 0;
  for (let at = start; at < end; at++) {
    const digit = (content[at] as number) & 0x7f;
    arc = typeof arc === 'bigint' ? arc * 128n + BigInt(digit) : arc * 128 + digit;
  }
  return arc;
}

const hex = (byte: number | undefined): string => `0x${(byte ?? 0).toString(16).padStart(2, '0')}`;
