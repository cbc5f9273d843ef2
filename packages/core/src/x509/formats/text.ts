/** The text of a file, whatever an editor, a shell or a settings page made of it. */

const MANY = 512;
const ESCAPED = /-----(BEGIN|END)[^\n\\]*-----\\[nr]/;

/** Undefined where the bytes aren't text. */
export function textOf(input: string | Uint8Array): string | undefined {
  const raw = rawText(input);
  if (raw === undefined) return undefined;
  return unescaped(wrappedPem(raw) ?? raw);
}

/** Whether a text is the base64 of PEM: the value of a Kubernetes Secret, `base64 -w0`. */
export function isWrappedPem(input: string | Uint8Array): boolean {
  const raw = rawText(input);
  return raw !== undefined && wrappedPem(raw) !== undefined;
}

/** Whether a file's text is in UTF-16, as PowerShell and Notepad write it. */
export function isUtf16(input: string | Uint8Array): boolean {
  return typeof input !== 'string' && readUtf16(asBuffer(input)) !== undefined;
}

/** Whether the line ends of a PEM text are the two characters `\n`. */
export function isEscaped(input: string | Uint8Array): boolean {
  return ESCAPED.test(rawText(input) ?? '');
}

function rawText(input: string | Uint8Array): string | undefined {
  if (typeof input === 'string') return input.replace(/^\uFEFF/, '');
  const bytes = asBuffer(input);
  const wide = readUtf16(bytes);
  if (wide !== undefined) return wide;
  if (!isText(bytes.subarray(0, MANY))) return undefined;
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString('latin1', hasMark ? 3 : 0);
}

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** The DER that a text is the base64 of, without lines that say so: as settings pages and `cfssl` hand it out. */
export function bareBase64(text: string): Buffer | undefined {
  const compact = text.replace(/[\s"']+/g, '');
  if (compact.length < 16 || compact.length % 4 !== 0 || !/^MI[A-Za-z0-9+/]*={0,2}$/.test(compact))
    return undefined;
  return Buffer.from(compact, 'base64');
}

/** The PEM that a text is the base64 of: it begins with "-----BEGIN " in base64. */
function wrappedPem(text: string): string | undefined {
  if (!/^["'\s]*LS0tLS1CRUdJTi[A-Za-z0-9+/\s]*={0,2}["'\s]*$/.test(text)) return undefined;
  const compact = text.replace(/[\s"']+/g, '');
  return compact.length % 4 === 0 ? Buffer.from(compact, 'base64').toString('latin1') : undefined;
}

/** PowerShell and Notepad write UTF-16, some programs without the mark at its start. */
function readUtf16(bytes: Buffer): string | undefined {
  if (bytes.length < 4) return undefined;
  const [first, second] = [bytes[0], bytes[1]];
  if (first === 0xff && second === 0xfe) return bytes.toString('utf16le', 2);
  if (first === 0xfe && second === 0xff) return swapped(bytes.subarray(2));
  const start = bytes.subarray(0, 64);
  if (isWide(start, 1) && isText(everyOther(start, 0))) return bytes.toString('utf16le');
  return isWide(start, 0) && isText(everyOther(start, 1)) ? swapped(bytes) : undefined;
}

function swapped(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}

function isWide(bytes: Buffer, zeros: 0 | 1): boolean {
  return everyOther(bytes, zeros).every((byte) => byte === 0);
}

function everyOther(bytes: Buffer, from: 0 | 1): Buffer {
  return bytes.filter((_, index) => index % 2 === from) as Buffer;
}

function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

/** In environment variables and JSON the line ends of PEM become the two characters `\n`. */
function unescaped(text: string): string {
  return ESCAPED.test(text) ? text.replace(/(\\r)?\\n|\\r/g, '\n') : text;
}
