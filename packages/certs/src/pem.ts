/** PEM (RFC 7468): text around DER. Reading is strict about what it finds and lenient about what lies between. */
import { CertificateError } from './errors.js';

/** One block of a PEM text. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, `X509 CRL` … */
  readonly label: string;
  readonly der: Buffer;
  /** The block as text, with its begin and end lines. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----((?:(?!-----)[\s\S])*)-----END ([A-Z0-9 ]+)-----/g;

/** Writes one block: lines of 64 characters, a newline at the end. */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * All blocks of a PEM text in their order; text between them is skipped.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, for a damaged block.
 */
export function readPem(text: string): PemBlock[] {
  const blocks = [...text.matchAll(BLOCK)].map(readBlock);
  const begins = text.match(/-----BEGIN [A-Z0-9 ]+-----/g)?.length ?? 0;
  if (begins > blocks.length) {
    throw malformed('a PEM block begins and never ends', text.lastIndexOf('-----BEGIN '));
  }
  return blocks;
}

/** Whether bytes are PEM text rather than DER. */
export function isPem(bytes: Uint8Array): boolean {
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

function readBlock(match: RegExpExecArray): PemBlock {
  const [text, label = '', body = '', endLabel] = match;
  if (label !== endLabel) throw malformed(`"BEGIN ${label}" is closed by "END ${endLabel}"`, match.index);
  // Encryption headers of the old format (RFC 1421) stand before an empty line; node:crypto reads those from the text.
  const base64 = body.replace(/^[\s\S]*?:[\s\S]*?\r?\n\r?\n/, '').replace(/\s+/g, '');
  if (base64 === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    throw malformed(`the ${label} is not base64`, match.index);
  }
  return { label, der: Buffer.from(base64, 'base64'), text: `${text}\n` };
}

function malformed(message: string, offset: number): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { offset });
}
