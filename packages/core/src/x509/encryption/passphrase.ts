/** A passphrase in the two forms that PKCS#12 files use. */
export interface Passphrase {
  /** For PBKDF2 and scrypt. */
  readonly utf8: Buffer;
  /** UTF-16, high byte first, ending in two zero bytes (RFC 7292 B.1). */
  readonly bmp: Buffer;
}

/**
 * What a passphrase may have been when the file was made, likeliest first: programs disagree on
 * whether no passphrase is the empty one, and the two give different keys.
 */
export function passphraseForms(passphrase: string | undefined): readonly [Passphrase, ...Passphrase[]] {
  if (passphrase === undefined) return [none, encode('')];
  return passphrase === '' ? [encode(''), none] : [encode(passphrase)];
}

const none: Passphrase = { utf8: Buffer.alloc(0), bmp: Buffer.alloc(0) };

function encode(text: string): Passphrase {
  return { utf8: Buffer.from(text, 'utf8'), bmp: Buffer.from(`${text}\0`, 'utf16le').swap16() };
}
