import { isAscii } from 'node:buffer';
import type { DerReader } from './der.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How each string type of ASN.1 becomes text; undefined where the bytes aren't of that type. */
const decoders: Readonly<Record<number, (content: Buffer) => string | undefined>> = {
  0x0c: decodeUtf8, // UTF8String
  0x12: decodeAscii, // NumericString
  0x13: decodeAscii, // PrintableString: real CAs put '*', '@' and '_' there, so ASCII is what is held to
  0x14: (content) => content.toString('latin1'), // TeletexString, which in practice is Latin-1
  0x16: decodeAscii, // IA5String
  0x1a: decodeAscii, // VisibleString
  0x1c: decodeUniversal, // UniversalString
  0x1e: decodeBmp, // BMPString
};

/** The text of the next element if it is a string, undefined (nothing read) if it is something else. */
export function readDirectoryString(reader: DerReader, what: string): string | undefined {
  const tag = reader.nextTag;
  const decode = decoders[tag];
  if (!decode) return undefined;
  return (
    decode(reader.content(tag, what)) ?? reader.fail(`${what} has bytes that its string type doesn't allow`)
  );
}

/** An IA5String, under its own tag or an implicit one. */
export function readIa5String(reader: DerReader, what: string, tag = 0x16): string {
  return decodeAscii(reader.content(tag, what)) ?? reader.fail(`${what} has bytes that aren't ASCII`);
}

function decodeAscii(content: Buffer): string | undefined {
  return isAscii(content) ? content.toString('latin1') : undefined;
}

function decodeUtf8(content: Buffer): string | undefined {
  try {
    return utf8.decode(content);
  } catch {
    return undefined;
  }
}

function decodeBmp(content: Buffer): string | undefined {
  return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : undefined;
}

function decodeUniversal(content: Buffer): string | undefined {
  if (content.length % 4 !== 0) return undefined;
  let text = '';
  for (let at = 0; at < content.length; at += 4) {
    const point = content.readUInt32BE(at);
    if (point > 0x10ffff) return undefined;
    text += String.fromCodePoint(point);
  }
  return text;
}
