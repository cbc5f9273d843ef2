/** PEM (RFC 7468): text around DER. Reading is strict about what it finds and lenient about what lies between. */
import { CertificateError } from '../errors.js';

export { toPem } from '@knsock/core/x509';

/** One block of a PEM text. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, `X509 CRL` … */
  readonly label: string;
  readonly der: Buffer;
  /** The block as text, with its begin and end lines. */
  readonly text: string;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';

/**
 * All blocks of a PEM text in their order; text between them is skipped.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, for a damaged block.
 */
export function readPem(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    const block = readBlock(text, at);
    blocks.push(block);
    at += block.text.length - 1;
  }
  return blocks;
}

/** Whether bytes are PEM text rather than DER, which may hold such text: it starts as a long SEQUENCE. */
export function isPem(bytes: Uint8Array): boolean {
  if (bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80) return false;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('-----BEGIN ');
}

/**
 * The certificates of a PEM text.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` where there is none.
 */
export function certificateBlocks(text: string): PemBlock[] {
  const blocks = readPem(text).filter(({ label }) => /^(X509 |TRUSTED )?CERTIFICATE$/.test(label));
  if (blocks.length === 0) throw malformed('there is no certificate in that text', 0);
  return blocks;
}

/**
 * The DER of one object: bytes that are DER already, or the first PEM block whose label fits.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`.
 */
export function derOf(input: string | Uint8Array, label: RegExp, what: string): Buffer {
  if (typeof input !== 'string' && !isPem(input)) return Buffer.from(input);
  const found = readPem(textOf(input)).find((block) => label.test(block.label));
  if (found === undefined) throw malformed(`there is no ${what} in that text`, 0);
  return found.der;
}

function textOf(input: string | Uint8Array): string {
  return typeof input === 'string' ? input : Buffer.from(input).toString('latin1');
}

/** Searches forwards only, so that no text takes more than a few passes. */
function readBlock(text: string, offset: number): PemBlock {
  const label = labelAt(text, offset + BEGIN.length);
  const start = offset + BEGIN.length + (label?.length ?? 0) + DASHES.length;
  const end = label === undefined ? -1 : text.indexOf(DASHES, start);
  if (label === undefined || end < 0) throw malformed('a PEM block begins and never ends', offset);
  const endLine = `-----END ${label}-----`;
  if (!text.startsWith(endLine, end)) {
    const other = /^-----END ([A-Z0-9 ]{1,60})-----/.exec(text.slice(end, end + 80))?.[1];
    if (other === undefined) throw malformed('a PEM block begins and never ends', offset);
    throw malformed(`"BEGIN ${label}" is closed by "END ${other}"`, offset);
  }
  const base64 = withoutHeaders(text.slice(start, end)).replace(/\s+/g, '');
  if (base64 === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw malformed(`the ${label} is not base64`, offset);
  }
  return {
    label,
    der: Buffer.from(base64, 'base64'),
    text: `${text.slice(offset, end + endLine.length)}\n`,
  };
}

/** Labels are short; whatever follows "BEGIN" otherwise is none. */
function labelAt(text: string, start: number): string | undefined {
  return /^([A-Z0-9 ]{1,60})-----/.exec(text.slice(start, start + 70))?.[1];
}

/** Encryption headers of the old format (RFC 1421) stand before an empty line; node:crypto reads those from the text. */
function withoutHeaders(body: string): string {
  const empty = /\r?\n\r?\n/.exec(body);
  return empty !== null && body.slice(0, empty.index).includes(':')
    ? body.slice(empty.index + empty[0].length)
    : body;
}

function malformed(message: string, offset: number): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { offset });
}
