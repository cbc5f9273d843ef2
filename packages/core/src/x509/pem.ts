import { MalformedDerError } from '../errors/malformed-der.js';

/** One block of a PEM text. */
export interface PemBlock {
  /** What stands after `BEGIN`, such as `CERTIFICATE`. */
  readonly label: string;
  readonly der: Buffer;
  /** Where the block starts, in characters. */
  readonly offset: number;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/**
 * Splits a PEM text (RFC 7468) into its blocks; whatever stands between them is ignored.
 * @throws MalformedDerError where a block isn't closed or isn't base64
 */
export function splitPem(text: string | Uint8Array): PemBlock[] {
  const pem = typeof text === 'string' ? text : Buffer.from(text).toString('latin1');
  const blocks: PemBlock[] = [];
  for (let at = pem.indexOf(BEGIN); at >= 0; at = pem.indexOf(BEGIN, at)) {
    const { block, end } = readBlock(pem, at);
    blocks.push(block);
    at = end;
  }
  return blocks;
}

/** Writes DER as a PEM block. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * The DER objects in an input: every PEM block under one of the labels, or the input itself where it is DER.
 * @throws MalformedDerError where there is none
 */
export function derObjects(input: string | Uint8Array, labels: readonly string[]): Buffer[] {
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    throw new MalformedDerError(0, `expected PEM text or bytes, not ${typeof input}`);
  }
  if (typeof input !== 'string' && input[0] === 0x30) return [Buffer.from(input)];
  const found = splitPem(input).filter(({ label }) => labels.includes(label));
  if (found.length === 0)
    throw new MalformedDerError(0, `there is neither a PEM block "${labels[0]}" nor DER`);
  return found.map(({ der }) => der);
}

/** The one DER object in an input; as `derObjects`, but more than one is refused. */
export function derObject(input: string | Uint8Array, labels: readonly string[]): Buffer {
  const objects = derObjects(input, labels);
  if (objects.length > 1)
    throw new MalformedDerError(0, `there are ${objects.length} PEM blocks "${labels[0]}" instead of one`);
  return objects[0] as Buffer;
}

function readBlock(pem: string, offset: number): { block: PemBlock; end: number } {
  const labelStart = offset + BEGIN.length;
  const labelEnd = pem.indexOf(DASHES, labelStart);
  const label = pem.slice(labelStart, labelEnd < 0 ? labelStart : labelEnd);
  if (!/^[A-Z0-9 #]{1,64}$/.test(label))
    throw new MalformedDerError(offset, 'a PEM block starts without a proper label');
  const closing = `-----END ${label}-----`;
  const bodyStart = labelEnd + DASHES.length;
  const bodyEnd = pem.indexOf(closing, bodyStart);
  if (bodyEnd < 0) throw new MalformedDerError(offset, `the PEM block "${label}" is never closed`);
  const der = isKey(label) ? Buffer.alloc(0) : decodeBase64(pem.slice(bodyStart, bodyEnd), bodyStart, label);
  return { block: { label, der, offset }, end: bodyEnd + closing.length };
}

/** Keys carry headers where they are encrypted, and are none of this module's business. */
const isKey = (label: string): boolean => label.endsWith('PRIVATE KEY');

function decodeBase64(body: string, offset: number, label: string): Buffer {
  const compact = body.replace(/[ \t\r\n]+/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) {
    throw new MalformedDerError(offset, `the PEM block "${label}" isn’t base64`);
  }
  return Buffer.from(compact, 'base64');
}
