/** Addresses in the form that limits and lists compare. */
import { BlockList, isIP } from 'node:net';
import { InvalidOptionError } from '../errors/index.js';
import { texts } from '../options/index.js';
import { parseIp } from '../x509/ip-address.js';

/** An IPv4 address that a dual-stack listener reports as IPv4-mapped IPv6, as plain IPv4. */
export function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** An address without its zone, which is local to this machine. */
function plainAddress(address: string): string {
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

/** A list of addresses and networks (CIDR). */
export class AddressList {
  readonly #list = new BlockList();

  /** @throws InvalidOptionError naming the entry that is neither */
  constructor(option: string, entries: readonly string[]) {
    for (const entry of texts(option, entries) ?? []) this.#add(option, entry);
  }

  has(address: string): boolean {
    const plain = plainAddress(address);
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }

  #add(option: string, entry: string): void {
    const [address = '', prefix, rest] = entry.split('/');
    const family = isIP(address);
    const most = family === 4 ? 32 : 128;
    const bits = prefix === undefined ? most : /^\d+$/.test(prefix) ? Number(prefix) : -1;
    if (family === 0 || rest !== undefined || bits < 0 || bits > most) {
      throw new InvalidOptionError(
        option,
        `${option}: '${entry}' is neither an address nor a network such as 10.0.0.0/8`,
      );
    }
    this.#list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
}
