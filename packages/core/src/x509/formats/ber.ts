/** BER (X.690 8) made DER as far as reading needs it: lengths that are definite and minimal, strings in one piece. */

/** As many levels as the reader of DER goes down. */
const MAX_DEPTH = 32;
const OCTETS = 0x04;
const OCTETS_IN_PIECES = 0x24;
const END_OF_CONTENTS = 2;

interface Element {
  readonly bytes: Buffer;
  /** Where the next one starts. */
  readonly next: number;
}

/** The same elements in DER's form; undefined where the bytes aren't whole BER, or are in that form already. */
export function definiteLengths(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = readElement(bytes, at, bytes.length, 0);
    if (element === undefined) return undefined;
    parts.push(element.bytes);
    at = element.next;
  }
  const whole = Buffer.concat(parts);
  return whole.equals(bytes) ? undefined : whole;
}

function readElement(bytes: Buffer, start: number, end: number, depth: number): Element | undefined {
  const tag = bytes[start];
  if (tag === undefined || start + 1 >= end || (tag & 0x1f) === 0x1f || depth > MAX_DEPTH) return undefined;
  const first = bytes[start + 1] as number;
  const isConstructed = (tag & 0x20) !== 0;
  if (first === 0x80) return isConstructed ? readOpen(bytes, start, end, depth) : undefined;
  const size = first < 0x80 ? 0 : first & 0x7f;
  const content = start + 2 + size;
  if (size > 6 || content > end) return undefined;
  const length = size === 0 ? first : bytes.readUIntBE(start + 2, size);
  const next = content + length;
  if (next > end) return undefined;
  if (!isConstructed) return { bytes: derElement(tag, bytes.subarray(content, next)), next };
  const children: Buffer[] = [];
  for (let at = content; at < next;) {
    const child = readElement(bytes, at, next, depth + 1);
    if (child === undefined) return undefined;
    children.push(child.bytes);
    at = child.next;
  }
  return { bytes: joined(tag, children), next };
}

/** An element without a length: its children go on to two zero bytes. */
function readOpen(bytes: Buffer, start: number, end: number, depth: number): Element | undefined {
  const children: Buffer[] = [];
  for (let at = start + 2; at + END_OF_CONTENTS <= end;) {
    if (bytes[at] === 0 && bytes[at + 1] === 0)
      return { bytes: joined(bytes[start] as number, children), next: at + END_OF_CONTENTS };
    const child = readElement(bytes, at, end, depth + 1);
    if (child === undefined) return undefined;
    children.push(child.bytes);
    at = child.next;
  }
  return undefined;
}

/** The pieces of a string become one string. */
function joined(tag: number, children: readonly Buffer[]): Buffer {
  if (tag !== OCTETS_IN_PIECES || children.some((child) => child[0] !== OCTETS))
    return derElement(tag, Buffer.concat(children));
  return derElement(OCTETS, Buffer.concat(children.map(contentOf)));
}

function contentOf(der: Buffer): Buffer {
  const first = der[1] as number;
  return der.subarray(2 + (first < 0x80 ? 0 : first & 0x7f));
}

/** One element with a definite, minimal length. */
export function derElement(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.of(length);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
}
