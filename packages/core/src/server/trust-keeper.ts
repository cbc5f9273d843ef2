/**
 * Keeps a listener's trust domains current: rotates credentials and rules as one, follows their sources, and judges
 * live peers again. Everything new is made before anything is replaced, so what can't be used changes nothing.
 */
import { isCredentials, type Credentials } from '../credentials/credentials.js';
import { toSource } from '../credentials/source.js';
import { channels } from '../observe/channels.js';
import { judgeLive, type LivePeer } from '../trust/live.js';
import { Judge } from '../trust/verdict.js';
import type { HostConfig } from './config.js';
import type { Domain, DomainEvents } from './domain.js';
import { buildDomains } from './domain-builder.js';
import type { Domains } from './domains.js';
import type { Rotation } from './secure-server.js';
import { TicketSecret } from './ticket-keys.js';
import { followSources, type TrustState } from './trust-state.js';

export class TrustKeeper {
  readonly judge = new Judge();
  domains: Domains;
  /** Times that the domains were replaced. */
  rotations = 0;
  readonly #config: HostConfig;
  readonly #events: DomainEvents;
  readonly #live: () => ReadonlyMap<LivePeer, Domain>;
  readonly #secret: TicketSecret;
  readonly #ticketTimer: NodeJS.Timeout;
  #state: TrustState;
  #unfollow: () => void;
  #closed = false;

  /**
   * @param live the connections to judge again, each with the domain it came in by
   * @throws InvalidOptionError, CredentialsError
   */
  constructor(config: HostConfig, events: DomainEvents, live: () => ReadonlyMap<LivePeer, Domain>) {
    this.#config = config;
    this.#events = events;
    this.#live = live;
    this.#secret = new TicketSecret(config.ticketSecret);
    this.#state = config.initial;
    this.domains = this.#build(this.#state);
    this.#unfollow = this.#follow();
    this.#ticketTimer = setInterval(() => {
      for (const domain of this.domains) domain.renewTicketKeys();
    }, TicketSecret.checkEvery).unref();
  }

  /** @throws CredentialsError, InvalidOptionError; nothing has changed then */
  async rotate(next: Credentials | Rotation): Promise<void> {
    const { credentials, sni, ...rules } = isCredentials(next) ? { credentials: next } : (next as Rotation);
    const { source, trust } = this.#state;
    await this.#replace({
      source: credentials === undefined ? source : toSource(credentials, source.current),
      sni: sni ?? this.#state.sni,
      trust: { ...trust, ...rules },
    });
  }

  /** A rotation may have come between a peer's verdict and its listing among the live ones. */
  async judgeIfReplaced(peer: LivePeer, domain: Domain): Promise<void> {
    const { trust } = this.domains.successorOf(domain.name);
    if (trust === domain.trust) return;
    await judgeLive(this.judge, [peer], () => trust, this.#config.limits.handshakeTimeout);
  }

  close(): void {
    this.#closed = true;
    this.#unfollow();
    clearInterval(this.#ticketTimer);
  }

  #build(state: TrustState): Domains {
    return buildDomains(this.#config, state, this.#secret, this.#events);
  }

  #follow(): () => void {
    return followSources(this.#state, () => {
      // What can't be used is told on the channel, and what worked stays.
      this.#replace(this.#state).catch(() => undefined);
    });
  }

  async #replace(state: TrustState): Promise<void> {
    const { version } = state.source.current;
    try {
      this.domains = this.#build(state);
    } catch (error) {
      if (channels.rotation.hasSubscribers) channels.rotation.publish({ ok: false, version, error });
      throw error;
    }
    this.#unfollow();
    this.#state = state;
    this.#unfollow = this.#closed ? () => undefined : this.#follow();
    this.rotations += 1;
    if (channels.rotation.hasSubscribers) channels.rotation.publish({ ok: true, version, error: null });
    const live = this.#live();
    const policyOf = (peer: LivePeer) => this.domains.successorOf(live.get(peer)?.name ?? null).trust;
    await judgeLive(this.judge, live.keys(), policyOf, this.#config.limits.handshakeTimeout);
  }
}
