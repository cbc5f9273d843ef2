/**
 * What a listener trusts now: follows its sources, applies `rotate`, and creates everything new before anything
 * is replaced. Invalid ones are reported, and the last valid ones stay.
 */
import { isCredentials, type Credentials } from '../credentials/credentials.js';
import { toSource } from '../credentials/source.js';
import { noConnection } from '../errors/failure-reporter.js';
import { HandshakeError } from '../errors/index.js';
import { channels } from '../observe/channels.js';
import { anything, record, refuseUnknown, type OptionReaders } from '../options/index.js';
import type { TrustOptions, TrustPolicy } from '../trust/trust-policy.js';
import type { HostConfig } from './config.js';
import type { ContextEvents } from './server-context.js';
import { buildVirtualHosts } from './virtual-hosts-builder.js';
import type { VirtualHosts } from './virtual-hosts.js';
import type { Rotation } from './secure-server.js';
import { TicketSecret } from './ticket-keys.js';
import { followSources, type TrustState } from './trust-state.js';

export interface TrustManagerEvents extends ContextEvents {
  /** Trust has changed; resolves when live peers were verified against it. */
  replaced(): Promise<void>;
}

export class TrustManager {
  /** Times that credentials or rules were replaced. */
  rotations = 0;
  readonly #config: HostConfig;
  readonly #events: TrustManagerEvents;
  readonly #secret: TicketSecret;
  readonly #ticketTimer: NodeJS.Timeout;
  #state: TrustState;
  #hosts: VirtualHosts;
  #unfollow: () => void;
  #stopped = false;

  /** @throws InvalidOptionError, CredentialsError */
  constructor(config: HostConfig, events: TrustManagerEvents) {
    this.#config = config;
    this.#events = events;
    this.#secret = new TicketSecret(config.ticketSecret);
    this.#state = config.initial;
    this.#hosts = this.#build(this.#state);
    this.#unfollow = this.#follow(this.#state);
    this.#ticketTimer = setInterval(() => {
      for (const context of this.#hosts) context.renewTicketKeys();
    }, TicketSecret.checkEvery).unref();
  }

  get hosts(): VirtualHosts {
    return this.#hosts;
  }

  /**
   * The current policy for peers, connected or new, under a name.
   * @throws HandshakeError where the name is none of ours any more, and unknown ones are refused
   */
  policyFor(servername: string | null): TrustPolicy {
    const route = this.#hosts.route(servername);
    if (route !== 'refuse') return route.trust;
    throw new HandshakeError(
      'unknown-name',
      `${JSON.stringify(servername)} is no longer a name of this server`,
    );
  }

  /** Whether a policy is still the one for peers under a name. */
  isCurrent(policy: TrustPolicy, servername: string | null): boolean {
    const route = this.#hosts.route(servername);
    return route !== 'refuse' && route.trust === policy;
  }

  /** @throws CredentialsError, InvalidOptionError; nothing has changed then */
  async rotate(next: Credentials | Rotation): Promise<void> {
    await this.#replace(
      isCredentials(next) ? { ...this.#state, source: toSource(next, next) } : this.#with(next),
    );
  }

  /** Stops following the sources and renewing keys. */
  stop(): void {
    this.#stopped = true;
    this.#unfollow();
    clearInterval(this.#ticketTimer);
  }

  #with(rotation: Rotation): TrustState {
    refuseUnknown(rotation, rotatable);
    const { source, sni, trust } = this.#state;
    return {
      source: rotation.credentials === undefined ? source : toSource(rotation.credentials, source.current),
      sni: rotation.sni === undefined ? sni : (record('sni', rotation.sni ?? {}) ?? {}),
      trust: { ...trust, ...rulesOf(rotation) },
    };
  }

  #follow(state: TrustState): () => void {
    const { failures } = this.#config;
    const changed = (): void => {
      this.#replace(this.#state).catch((error: unknown) => {
        failures.report(error, noConnection, 'taking new credentials');
      });
    };
    return followSources(state, changed, failures);
  }

  async #replace(state: TrustState): Promise<void> {
    const { version } = state.source.current;
    try {
      const hosts = this.#build(state);
      const unfollow = this.#stopped ? undefined : this.#follow(state);
      this.#hosts = hosts;
      this.#state = state;
      this.#unfollow();
      if (unfollow !== undefined) this.#unfollow = unfollow;
    } catch (error) {
      publishRotation(version, error as Error);
      throw error;
    }
    this.rotations += 1;
    publishRotation(version, null);
    try {
      await this.#events.replaced();
    } catch (error) {
      publishRotation(version, error as Error);
      throw error;
    }
  }

  #build(state: TrustState): VirtualHosts {
    return buildVirtualHosts(this.#config, state, this.#secret, this.#events);
  }
}

const rules = ['authorize', 'revocation', 'pins'] as const satisfies readonly (keyof TrustOptions)[];

// Each is read with the rest of its state, when the new contexts are made.
const rotatable = {
  credentials: anything,
  sni: anything,
  authorize: anything,
  revocation: anything,
  pins: anything,
} as const satisfies OptionReaders<Rotation>;

/** Undefined leaves a rule as it is: a missing value must not remove a restriction. Null removes the rule. */
function rulesOf(rotation: Rotation): TrustOptions {
  const given = rules.filter((name) => rotation[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, rotation[name] ?? undefined]));
}

function publishRotation(version: string, error: Error | null): void {
  if (channels.rotation.hasSubscribers)
    channels.rotation.publish({ by: 'server', ok: error === null, version, error });
}
