/**
 * A serial number's INTEGER content in lower-case hex, without leading zero bytes; a negative one, which RFC 5280
 * forbids and old CAs made, starts with `-`.
 */
export function showSerial(bytes: Buffer): string {
  const isNegative = (bytes[0] as number) >= 0x80;
  if (isNegative)
    return `-${((1n << BigInt(bytes.length * 8)) - BigInt(`0x${bytes.toString('hex')}`)).toString(16)}`;
  return bytes.subarray(bytes.length > 1 && bytes[0] === 0 ? 1 : 0).toString('hex');
}
