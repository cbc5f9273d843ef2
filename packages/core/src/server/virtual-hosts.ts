/** The virtual hosts of a listener, and how a client's name selects one: an exact name, a one-label wildcard, or the default. */
import { isIP } from 'node:net';
import type { AlpnChallenge, CredentialSource } from '../credentials/source.js';
import { InvalidOptionError } from '../errors/index.js';
import type { HelloReading } from '../transport/preface.js';
import type { ServerContext } from './server-context.js';
import { asciiHostName } from '../x509/host-name.js';

/** What a ClientHello's name selects; `'refuse'`: the name is unknown. */
export type Route = ServerContext | 'refuse';

/** Sources that may answer ACME servers' validations, by the contexts that they are for. */
export type ChallengeSources = ReadonlyMap<ServerContext, CredentialSource>;

export class VirtualHosts {
  /** Whether the ClientHello must be read before TLS begins. */
  readonly hello: HelloReading;
  readonly fallback: ServerContext;
  readonly #named: ReadonlyMap<string, ServerContext>;
  readonly #unknownName: 'default' | 'refuse';
  readonly #challenges: ChallengeSources;

  constructor(
    fallback: ServerContext,
    named: ReadonlyMap<string, ServerContext>,
    unknownName: 'default' | 'refuse',
    challenges: ChallengeSources = new Map(),
  ) {
    this.fallback = fallback;
    this.#named = named;
    this.#unknownName = unknownName;
    this.#challenges = challenges;
    const needsName = named.size > 0 || unknownName === 'refuse';
    this.hello = needsName ? 'required' : challenges.size > 0 ? 'if readable' : 'none';
  }

  /** @param name as the client sent it; null where it sent none, which means the default */
  route(name: string | null): Route {
    if (name === null) return this.fallback;
    const found = this.find(name);
    if (found !== null) return found;
    return this.#unknownName === 'default' ? this.fallback : 'refuse';
  }

  /** The context of an SNI entry by the requested name. */
  find(name: string): ServerContext | null {
    // The same name in DNS, with or without the trailing dot of the root.
    const lower = name.toLowerCase().replace(/\.$/, '');
    const exact = this.#named.get(lower);
    if (exact !== undefined) return exact;
    const dot = lower.indexOf('.');
    return dot < 0 ? null : (this.#named.get(`*${lower.slice(dot)}`) ?? null);
  }

  /**
   * The answer to a validation of a name by tls-alpn-01: of the name's own source, or else of the default's. Other entries'
   * sources aren't asked: each may be another tenant's.
   * @throws what a source throws
   */
  challengeFor(name: string): AlpnChallenge | undefined {
    const own = this.find(name);
    const answer = own === null ? undefined : this.#challenges.get(own)?.challengeFor?.(name);
    return answer ?? this.#challenges.get(this.fallback)?.challengeFor?.(name);
  }

  *[Symbol.iterator](): Generator<ServerContext> {
    yield this.fallback;
    yield* this.#named.values();
  }
}

/** The form in which names are compared. @throws InvalidOptionError for anything but a host name or `*.` and one */
export function parseHostName(name: string): string {
  const wildcard = name.startsWith('*.');
  const ascii = asciiHostName(wildcard ? name.slice(2) : name);
  if (ascii === '' || ascii.endsWith('.') || isIP(ascii) !== 0) {
    throw new InvalidOptionError('sni', `'${name}' is neither a host name nor '*.' and one`);
  }
  return wildcard ? `*.${ascii}` : ascii;
}
