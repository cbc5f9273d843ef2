/** From a finished handshake to a connection that the program may have: verdict, framing, welcome. */
import type { TLSSocket } from 'node:tls';
import { Connection } from '../connection/connection.js';
import type { RequestHandler } from '../connection/connection-types.js';
import { FramingMismatchError } from '../errors/index.js';
import type { Framing } from '../framing/framing.js';
import { channels } from '../observe/channels.js';
import { LONGEST_WAIT } from '../options/index.js';
import { raceAbort } from '../transport/race-abort.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { tlsFacts, type TlsFacts } from '../transport/tls-facts.js';
import type { TlsStream } from '../transport/tls-stream.js';
import { presentedBy } from '../trust/presented.js';
import { tellVerdict } from '../trust/tell-verdict.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { Judge } from '../trust/verdict.js';
import { agreedName } from './agreed-name.js';
import type { PendingConnection } from './pending-connection.js';
import type { ListenConfig } from './config.js';

export class ConnectionSetup<In, Out> {
  readonly #config: ListenConfig<In, Out>;
  readonly #requestHandler: RequestHandler<In, Out> | null;
  readonly #judge: Judge;

  constructor(config: ListenConfig<In, Out>, requestHandler: RequestHandler<In, Out> | null, judge: Judge) {
    this.#config = config;
    this.#requestHandler = requestHandler;
    this.#judge = judge;
  }

  /**
   * @param policyFor who is trusted now under a name; where that changes while the peer is judged, it is judged again
   * @throws UntrustedPeerError, PeerNotAllowedError, FramingMismatchError; the pending's reason when its time is over
   */
  async open(
    pending: PendingConnection,
    policyFor: (servername: string | null) => TrustPolicy,
    stream: TlsStream,
  ): Promise<{ connection: Connection<In, Out>; judgedBy: TrustPolicy }> {
    const { socket } = stream;
    const tls = routedFacts(tlsFacts(socket), pending);
    tellHandshake(pending, tls);
    const framing = this.#framingOf(socket);
    const policy = () => policyFor(tls.servername);
    const { peer, judgedBy } = await this.#judgePeer(pending, policy, socket);
    const connection = new Connection<In, Out>(stream, {
      role: 'server',
      framing,
      limits: this.#config.limits,
      maxLifetime: jittered(this.#config.maxLifetime),
      peer,
      tls,
      socket,
      remote: pending.remote,
      proxy: pending.proxy,
      requestHandler: this.#requestHandler,
      explainEnd: null,
      failures: this.#config.failures,
    });
    await raceAbort(connection.open(), pending.signal);
    return { connection, judgedBy };
  }

  async #judgePeer(
    pending: PendingConnection,
    policy: () => TrustPolicy,
    socket: TLSSocket,
  ): Promise<{ peer: PeerIdentity | null; judgedBy: TrustPolicy }> {
    const presented = presentedBy(socket, { remembered: null });
    for (;;) {
      const judgedBy = policy();
      pending.judging = true;
      const judging = this.#judge.judge(judgedBy, presented, signalFor(judgedBy, pending));
      const verdict = judging instanceof Promise ? await raceAbort(judging, pending.signal) : judging;
      pending.judging = false;
      tellVerdict('server', pending.address, verdict, presented.resumed);
      if (!verdict.ok) throw verdict.error;
      if (policy() === judgedBy) return { peer: verdict.peer, judgedBy };
    }
  }

  #framingOf({ alpnProtocol }: TLSSocket): Framing<In, Out> {
    const { framings } = this.#config;
    const agreed = alpnProtocol || undefined;
    const framing =
      framings.find(({ alpn }) => alpn === agreed) ??
      framings.find(({ alpn }) => alpn === undefined) ??
      (agreed === undefined ? framings.find(({ alpnOptional }) => alpnOptional === true) : undefined);
    if (framing !== undefined) return framing;
    const spoken = framings.map(({ name }) => name).join(', ');
    throw new FramingMismatchError(`the client named no protocol by ALPN; spoken here: ${spoken}`);
  }
}

/** Making a signal and listening to it costs more than a verdict that waits for nothing. */
function signalFor({ revocation, authorize }: TrustPolicy, pending: PendingConnection): AbortSignal {
  return revocation === null && authorize === null ? NEVER : pending.signal;
}
const NEVER = new AbortController().signal;

function routedFacts(facts: TlsFacts, { routedBy, address }: PendingConnection): TlsFacts {
  if (routedBy === null) return facts;
  const servername = agreedName(routedBy.servername, facts, address);
  return servername === facts.servername ? facts : { ...facts, servername };
}

function tellHandshake({ address, since }: PendingConnection, { version, cipher, resumed }: TlsFacts): void {
  if (!channels.handshake.hasSubscribers) return;
  const milliseconds = performance.now() - since;
  channels.handshake.publish({ role: 'server', address, milliseconds, version, cipher, resumed });
}

/** Give or take a tenth, so that clients that came together don't come back together. */
function jittered(lifetime: number | null): number | null {
  return lifetime === null
    ? null
    : Math.min(Math.round(lifetime * (0.9 + Math.random() * 0.2)), LONGEST_WAIT);
}
