/**
 * What a stranger sent, as one line that does nothing to a terminal: control characters, line ends and marks that turn
 * the direction of text come as `\x1b`, the rest as it is.
 */
export function printable(bytes: Buffer): string {
  return bytes.toString().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => {
    const code = mark.codePointAt(0) as number;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
