/** Addresses in the form that limits and lists compare. */
import { BlockList, isIP } from 'node:net';
import { InvalidOptionError } from '../errors/index.js';
import { texts } from '../options/index.js';
import { plainAddress } from '../x509/ip-network.js';

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
