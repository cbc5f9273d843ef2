/** Addresses in the form in which they are compared and counted. */
import { parseIp } from './ip-address.js';

/** An IPv4 address that a dual-stack listener reports as IPv4-mapped IPv6, as plain IPv4. */
export function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** An address without its zone, which is local to this machine. */
export function plainAddress(address: string): string {
  return unmapped(address.split('%', 1)[0] as string);
}

/**
 * The network of an address, as a key to count by.
 * @param prefixes how many leading bits count; an IPv6 client commonly has a /64 to itself
 */
export function networkOf(
  address: string,
  prefixes: { readonly ipv4: number; readonly ipv6: number },
): string {
  const plain = plainAddress(address);
  const bytes = parseIp(plain);
  if (bytes === undefined) return plain;
  const prefix = bytes.length === 4 ? prefixes.ipv4 : prefixes.ipv6;
  const masked = bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - 8 * index));
    return byte & (0xff << (8 - bits));
  });
  return `${Buffer.from(masked).toString('hex')}/${prefix}`;
}
