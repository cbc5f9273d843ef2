import { MalformedDerError } from '../errors/malformed-der.js';
import { textOf } from './formats/text.js';

/** One block of a PEM text. */
export interface PemBlock {
  /** What stands after `BEGIN`, such as `CERTIFICATE`. */
  readonly label: string;
  /** @throws MalformedDerError where the block isn't base64 */
  readonly der: Buffer;
  /** The lines before an empty one, such as `DEK-Info: …` of old encrypted keys (RFC 1421 4.6). */
  readonly headers: Readonly<Record<string, string>>;
  /** The block as it stands in the text, with its begin and end lines. */
  readonly text: string;
  /** Where the block starts, in characters. */
  readonly offset: number;
  /** The line on which it starts, from 1. */
  readonly line: number;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';
/** Each costs a look to the end of the text. */
const MOST_PASSED = 64;
/** RFC 7468 3: printable characters, with single hyphens and spaces between them. */
const LABEL = /^[\x21-\x2c\x2e-\x7e](?:[ -]?[\x21-\x2c\x2e-\x7e]){0,63}$/;
/** What is read here or elsewhere in knsock, so that it must be whole. */
const OURS = /(CERTIFICATE|CRL|PRIVATE KEY|PUBLIC KEY|REQUEST|PKCS7|CMS|PARAMETERS)$/;

/**
 * Splits a PEM text (RFC 7468) into its blocks; whatever stands between them is ignored.
 * @throws MalformedDerError where a block has no label or isn't closed
 */
export function splitPem(text: string | Uint8Array): PemBlock[] {
  const pem = typeof text === 'string' ? text : (textOf(text) ?? Buffer.from(text).toString('latin1'));
  const blocks: PemBlock[] = [];
  const lines = lineCounter(pem);
  let passed = 0;
  for (let at = pem.indexOf(BEGIN); at >= 0; at = pem.indexOf(BEGIN, at)) {
    const block = readBlock(pem, at, lines(at));
    if (block === undefined) {
      at += BEGIN.length;
      passed += 1;
      if (passed > MOST_PASSED)
        throw new MalformedDerError(at, 'there are too many PEM blocks that are never closed');
    } else {
      blocks.push(block);
      at += block.text.length;
    }
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

class Block implements PemBlock {
  readonly label: string;
  readonly text: string;
  readonly offset: number;
  readonly line: number;
  readonly #body: string;
  #der: Buffer | undefined;

  constructor(label: string, text: string, offset: number, line: number) {
    this.label = label;
    this.text = text;
    this.offset = offset;
    this.line = line;
    const edge = label.length + DASHES.length;
    this.#body = text.slice(BEGIN.length + edge, -('-----END '.length + edge));
  }

  get headers(): Readonly<Record<string, string>> {
    const lines = this.#head?.split(/\r?\n/) ?? [];
    return Object.fromEntries(
      lines.flatMap((line) => {
        const [, name, value] = /^([\w-]+):\s*(.*?)\s*$/.exec(line) ?? [];
        return name === undefined || value === undefined ? [] : [[name, value]];
      }),
    );
  }

  get der(): Buffer {
    return (this.#der ??= this.#decode());
  }

  /** Headers stand before an empty line. */
  get #head(): string | undefined {
    const empty = /\r?\n[ \t]*\r?\n/.exec(this.#body);
    if (empty === null) return undefined;
    const head = this.#body.slice(0, empty.index);
    return head.includes(':') ? head : undefined;
  }

  #decode(): Buffer {
    const compact = this.#body.slice(this.#head?.length ?? 0).replace(/\s+/g, '');
    if (compact === '' || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) {
      const offset = this.offset + BEGIN.length + this.label.length + DASHES.length;
      throw new MalformedDerError(offset, `the PEM block "${this.label}" isn't base64`);
    }
    return Buffer.from(compact, 'base64');
  }
}

/** Undefined for a line that only looks like the start of a block, as in signed mail. */
function readBlock(pem: string, offset: number, line: number): PemBlock | undefined {
  const labelStart = offset + BEGIN.length;
  const labelEnd = pem.indexOf(DASHES, labelStart);
  const label = pem.slice(labelStart, labelEnd < 0 ? labelStart : labelEnd);
  if (!LABEL.test(label))
    throw new MalformedDerError(offset, `a PEM block starts without a proper label (line ${show(line)})`);
  const closing = `-----END ${label}-----`;
  const end = pem.indexOf(closing, labelEnd + DASHES.length);
  const next = pem.indexOf(BEGIN, labelEnd);
  if (end >= 0 && (next < 0 || end < next || !OURS.test(label)))
    return new Block(label, pem.slice(offset, end + closing.length), offset, line);
  if (!OURS.test(label)) return undefined;
  const other = /-----END ([^\r\n]{1,64}?)-----/.exec(pem.slice(labelEnd, next < 0 ? undefined : next))?.[1];
  const why = other === undefined ? 'is never closed' : `is closed by "END ${other}"`;
  throw new MalformedDerError(offset, `the PEM block "${label}" (line ${show(line)}) ${why}`);
}

/** Counts on from where it was asked last: texts of many blocks are gone through once. */
function lineCounter(text: string): (offset: number) => number {
  let [line, counted] = [1, 0];
  return (offset) => {
    for (let at = text.indexOf('\n', counted); at >= 0 && at < offset; at = text.indexOf('\n', at + 1))
      line += 1;
    counted = offset;
    return line;
  };
}

const show = (line: number): string => line.toLocaleString('en');
