/**
 * The text of a file that people write by hand or by `echo … >`: UTF-16 where its byte order mark says so, as PowerShell
 * and Notepad write it, else UTF-8; without the mark.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}
