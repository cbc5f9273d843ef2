/**
 * DER without the line feeds and zero bytes that editors, `echo` and blocks of a disk leave behind it: OpenSSL and
 * keytool read over them. Anything else behind the end is left for the reader to refuse.
 */
export function withoutPadding(der: Buffer): Buffer {
  const end = endOfElement(der);
  if (end === undefined || end >= der.length) return der;
  const isPadding = der
    .subarray(end)
    .every((byte) => byte === 0 || byte === 0x0a || byte === 0x0d || byte === 0x20);
  return isPadding ? der.subarray(0, end) : der;
}

/** Where the first element ends by its own length; undefined where that isn't definite. */
function endOfElement(der: Buffer): number | undefined {
  const first = der[1] ?? 0x80;
  if (first < 0x80) return 2 + first;
  const size = first & 0x7f;
  return size === 0 || size > 4 || der.length < 2 + size ? undefined : 2 + size + der.readUIntBE(2, size);
}
