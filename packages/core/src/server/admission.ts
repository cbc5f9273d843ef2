/**
 * Which clients may begin a handshake: decided by counts and the address alone, before any TLS work. A refusal costs
 * a counter and a closed socket.
 */
import { InvalidOptionError } from '../errors/index.js';
import { AddressList } from '../transport/network.js';
import { networkOf } from '../x509/ip-network.js';
import {
  anything,
  integerWithin,
  readAllOptions,
  readOptions,
  withDefault,
  type OptionReaders,
} from '../options/index.js';
import { TokenBucket } from '../policy/rate.js';

/** Which limit refused a peer; `descriptors` is the system's, not ours. */
export type AdmissionRefusal =
  'closing' | 'denied' | 'connections' | 'address' | 'network' | 'rate' | 'handshakes' | 'descriptors';

/** How many connections are accepted, from which addresses, and at what rate. */
export interface AdmissionOptions {
  /** The most connections at once, those still in their handshake included; default 10,000. */
  maxConnections?: number | undefined;
  /** The most handshakes at once; default 1,000. Over either limit a silent socket is closed first. */
  maxPendingHandshakes?: number | undefined;
  /** The most connections of one client: an IPv4 address, or the /64 of an IPv6 one; off by default. */
  maxConnectionsPerAddress?: number | undefined;
  /** The most connections of one network; default prefixes /24 and /48; off by default. */
  maxConnectionsPerNetwork?: { limit: number; ipv4Prefix?: number; ipv6Prefix?: number } | undefined;
  /** New connections a second, on average and as a burst (default: one second's worth); off by default. */
  acceptRate?: number | { perSecond: number; burst: number } | undefined;
  /** Addresses and networks that may connect; absent: all of them. */
  allow?: readonly string[] | undefined;
  /** Addresses and networks that may not connect; takes precedence over `allow`. */
  deny?: readonly string[] | undefined;
}

export interface Quota {
  readonly refusal: AdmissionRefusal;
  readonly limit: number;
  readonly prefixes: { readonly ipv4: number; readonly ipv6: number };
}

export interface AdmissionConfig {
  readonly maxConnections: number;
  readonly maxPendingHandshakes: number;
  readonly quotas: readonly Quota[];
  readonly acceptRate: { readonly perSecond: number; readonly burst: number } | null;
  readonly allow: AddressList | null;
  readonly deny: AddressList | null;
}

const oneOrMore = integerWithin({ min: 1 });

/** How each of them is read, and its default. */
export const admissionOptions = {
  maxConnections: withDefault(oneOrMore, 10_000),
  maxPendingHandshakes: withDefault(oneOrMore, 1_000),
  maxConnectionsPerAddress: parseAddressQuota,
  maxConnectionsPerNetwork: parseNetworkQuota,
  acceptRate: parseRate,
  allow: parseAddresses,
  deny: parseAddresses,
} as const satisfies OptionReaders<AdmissionOptions>;

/** @throws InvalidOptionError */
export function parseAdmission(options: AdmissionOptions): AdmissionConfig {
  const { maxConnectionsPerAddress, maxConnectionsPerNetwork, ...rest } = readOptions(
    options,
    admissionOptions,
  );
  const quotas = [maxConnectionsPerAddress, maxConnectionsPerNetwork].filter((quota) => quota !== null);
  return Object.freeze({ ...rest, quotas });
}

/** Counts connections and decides which further ones are admitted. */
export class Admission {
  readonly #config: AdmissionConfig;
  readonly #counts: ReadonlyMap<Quota, Map<string, number>>;
  readonly #bucket: TokenBucket | null;
  readonly #refused: Record<AdmissionRefusal, number>;
  #connections = 0;

  constructor(config: AdmissionConfig, now = performance.now()) {
    this.#config = config;
    this.#counts = new Map(config.quotas.map((quota) => [quota, new Map<string, number>()]));
    const rate = config.acceptRate;
    this.#bucket = rate === null ? null : new TokenBucket(rate.perSecond, rate.burst, now);
    this.#refused = {
      closing: 0,
      denied: 0,
      connections: 0,
      address: 0,
      network: 0,
      rate: 0,
      handshakes: 0,
      descriptors: 0,
    };
  }

  /** Whether the limit of connections is reached. */
  get full(): boolean {
    return this.#connections >= this.#config.maxConnections;
  }

  /** Whether any limit depends on the client's address, not only on counts. */
  get countsClients(): boolean {
    return this.#counts.size > 0;
  }

  /** Peers refused so far, by the limit that refused them. */
  get refused(): Readonly<Record<AdmissionRefusal, number>> {
    return { ...this.#refused };
  }

  /**
   * Checks a client by its address, or by the address in a PROXY header. Null admits. The rate comes last:
   * clients refused for another reason must not use it up.
   */
  admitClient(address: string | undefined, now: number): AdmissionRefusal | null {
    return this.#admitAddress(address) ?? (this.#bucket === null || this.#bucket.take(now) ? null : 'rate');
  }

  refuse(refusal: AdmissionRefusal): void {
    this.#refused[refusal] += 1;
  }

  enter(): void {
    this.#connections += 1;
  }

  leave(): void {
    this.#connections -= 1;
  }

  enterClient(address: string | undefined): void {
    this.#count(address, 1);
  }

  leaveClient(address: string | undefined): void {
    this.#count(address, -1);
  }

  #admitAddress(address: string | undefined): AdmissionRefusal | null {
    if (address === undefined) return null;
    const { allow, deny } = this.#config;
    if (deny?.has(address) === true || allow?.has(address) === false) return 'denied';
    for (const [quota, counts] of this.#counts) {
      if ((counts.get(networkOf(address, quota.prefixes)) ?? 0) >= quota.limit) return quota.refusal;
    }
    return null;
  }

  #count(address: string | undefined, change: 1 | -1): void {
    if (address === undefined) return;
    for (const [quota, counts] of this.#counts) {
      const network = networkOf(address, quota.prefixes);
      const count = (counts.get(network) ?? 0) + change;
      if (count <= 0) counts.delete(network);
      else counts.set(network, count);
    }
  }
}

function parseAddressQuota(option: string, value: number | undefined): Quota | null {
  if (value === undefined) return null;
  return { refusal: 'address', limit: oneOrMore(option, value), prefixes: { ipv4: 32, ipv6: 64 } };
}

type NetworkQuota = NonNullable<AdmissionOptions['maxConnectionsPerNetwork']>;

export const networkQuotaOptions = {
  limit: oneOrMore,
  ipv4Prefix: withDefault(integerWithin({ min: 1, max: 32 }), 24),
  ipv6Prefix: withDefault(integerWithin({ min: 1, max: 128 }), 48),
} as const satisfies OptionReaders<NetworkQuota>;

function parseNetworkQuota(option: string, value: NetworkQuota | undefined): Quota | null {
  if (value === undefined) return null;
  const { limit, ipv4Prefix: ipv4, ipv6Prefix: ipv6 } = readAllOptions(value, networkQuotaOptions, option);
  if (limit === undefined) throw new InvalidOptionError(`${option}.limit`, `${option} needs a limit`);
  return { refusal: 'network', limit, prefixes: { ipv4, ipv6 } };
}

type Rate = NonNullable<AdmissionConfig['acceptRate']>;

// Both are checked together, below.
const rateOptions = { perSecond: anything, burst: anything } as const satisfies OptionReaders<Rate>;

function parseRate(option: string, value: AdmissionOptions['acceptRate']): Rate | null {
  if (value === undefined) return null;
  if (typeof value !== 'number') readAllOptions(value, rateOptions, option);
  const { perSecond, burst } =
    typeof value === 'number' ? { perSecond: value, burst: Math.max(1, value) } : value;
  if (typeof perSecond !== 'number' || typeof burst !== 'number' || !(perSecond > 0) || !(burst >= 1)) {
    throw new InvalidOptionError(option, 'acceptRate needs perSecond above 0 and a burst of 1 or more');
  }
  return { perSecond, burst };
}

function parseAddresses(option: string, value: readonly string[] | undefined): AddressList | null {
  return value === undefined ? null : new AddressList(option, value);
}
