/**
 * Which clients may begin a handshake: decided by counts and the address alone, before any TLS work. A refusal costs
 * a counter and a closed socket.
 */
import { InvalidOptionError } from '../errors/index.js';
import { AddressList, networkOf } from '../transport/network.js';
import { integer, refuseUnknown } from '../options/index.js';
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

export const admissionOptionNames = [
  'maxConnections',
  'maxPendingHandshakes',
  'maxConnectionsPerAddress',
  'maxConnectionsPerNetwork',
  'acceptRate',
  'allow',
  'deny',
] as const satisfies readonly (keyof AdmissionOptions)[];

interface Quota {
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

/** @throws InvalidOptionError */
export function parseAdmission(options: AdmissionOptions): AdmissionConfig {
  return Object.freeze({
    maxConnections: integer('maxConnections', options.maxConnections, { min: 1 }) ?? 10_000,
    maxPendingHandshakes: integer('maxPendingHandshakes', options.maxPendingHandshakes, { min: 1 }) ?? 1_000,
    quotas: parseQuotas(options),
    acceptRate: parseRate(options.acceptRate),
    allow: options.allow === undefined ? null : new AddressList('allow', options.allow),
    deny: options.deny === undefined ? null : new AddressList('deny', options.deny),
  });
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

const knownOfNetworks = new Set(['limit', 'ipv4Prefix', 'ipv6Prefix']);
const knownOfRate = new Set(['perSecond', 'burst']);

function parseQuotas({
  maxConnectionsPerAddress: address,
  maxConnectionsPerNetwork: network,
}: AdmissionOptions): Quota[] {
  const quotas: Quota[] = [];
  if (address !== undefined) {
    const limit = integer('maxConnectionsPerAddress', address, { min: 1 });
    quotas.push({ refusal: 'address', limit, prefixes: { ipv4: 32, ipv6: 64 } });
  }
  if (network !== undefined) {
    refuseUnknown(network, knownOfNetworks, 'maxConnectionsPerNetwork');
    if (network.limit === undefined)
      throw new InvalidOptionError(
        'maxConnectionsPerNetwork.limit',
        'maxConnectionsPerNetwork needs a limit',
      );
    quotas.push({
      refusal: 'network',
      limit: integer('maxConnectionsPerNetwork.limit', network.limit, { min: 1 }),
      prefixes: {
        ipv4: prefix('maxConnectionsPerNetwork.ipv4Prefix', network.ipv4Prefix, 32) ?? 24,
        ipv6: prefix('maxConnectionsPerNetwork.ipv6Prefix', network.ipv6Prefix, 128) ?? 48,
      },
    });
  }
  return quotas;
}

function prefix(option: string, bits: number | undefined, max: number): number | undefined {
  return integer(option, bits, { min: 1, max });
}

function parseRate(rate: AdmissionOptions['acceptRate']): AdmissionConfig['acceptRate'] {
  if (rate === undefined) return null;
  if (typeof rate !== 'number') refuseUnknown(rate, knownOfRate, 'acceptRate');
  const { perSecond, burst } =
    typeof rate === 'number' ? { perSecond: rate, burst: Math.max(1, rate) } : rate;
  if (typeof perSecond !== 'number' || typeof burst !== 'number' || !(perSecond > 0) || !(burst >= 1)) {
    throw new InvalidOptionError('acceptRate', 'acceptRate needs perSecond above 0 and a burst of 1 or more');
  }
  return { perSecond, burst };
}
