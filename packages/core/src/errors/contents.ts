/** PEM, JSON, several lines, or DER as base64 or hex. */
const CONTENTS = /-----BEGIN |^\s*\{|[\r\n]|^(?:M|30)[\w+/=-]{98,}$/;

/** Whether a text looks like the contents of a file, such as a private key, where a path or a word was expected. It isn't to be shown. */
export function looksLikeContents(text: string): boolean {
  return CONTENTS.test(text);
}
