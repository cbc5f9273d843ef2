/** From a finished handshake to a connection that is handed to the program: verification, framing, WELCOME. */
import type { TLSSocket } from 'node:tls';
import { Connection } from '../connection/connection.js';
import type { RequestHandler } from '../connection/connection-types.js';
import { FramingMismatchError } from '../errors/index.js';
import type { Framing } from '../framing/framing.js';
import { channels } from '../observe/channels.js';
import { LONGEST_WAIT } from '../options/index.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { tlsFacts, type TlsInfo } from '../transport/tls-facts.js';
import type { TlsStream } from '../transport/tls-stream.js';
import { readPeerChain, unaskedChain } from '../trust/peer-chain.js';
import { publishVerification } from '../trust/publish-verification.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { PeerVerifier, VerificationResult } from '../trust/peer-verifier.js';
import { agreedName } from './agreed-name.js';
import type { PendingConnection } from './pending-connection.js';
import type { ListenConfig } from './config.js';

/** An admitted peer, and the policy that admitted it. */
interface Verified {
  readonly peer: PeerIdentity | null;
  readonly policy: TrustPolicy;
}

interface Opened<In, Out> {
  readonly connection: Connection<In, Out>;
  readonly policy: TrustPolicy;
}

export class ConnectionSetup<In, Out> {
  readonly #config: ListenConfig<In, Out>;
  readonly #requestHandler: RequestHandler<In, Out> | null;
  readonly #verifier: PeerVerifier;

  constructor(
    config: ListenConfig<In, Out>,
    requestHandler: RequestHandler<In, Out> | null,
    verifier: PeerVerifier,
  ) {
    this.#config = config;
    this.#requestHandler = requestHandler;
    this.#verifier = verifier;
  }

  /**
   * Most peers are verified at once and wait for nothing: then no promise is created.
   * @param policyFor the current policy for a name; where it changes meanwhile, the peer is verified again
   * @throws UntrustedPeerError, PeerNotAllowedError, FramingMismatchError; the pending connection's reason when its time is over
   */
  open(
    pending: PendingConnection,
    policyFor: (servername: string | null) => TrustPolicy,
    stream: TlsStream,
  ): Opened<In, Out> | Promise<Opened<In, Out>> {
    const tls = routedFacts(tlsFacts(stream.socket), pending);
    publishHandshake(pending, tls);
    const framing = this.#framingOf(stream.socket);
    const verified = this.#verifyPeer(pending, () => policyFor(tls.servername), stream);
    return verified instanceof Promise
      ? verified.then((known) => this.#connect(pending, stream, tls, framing, known))
      : this.#connect(pending, stream, tls, framing, verified);
  }

  #connect(
    pending: PendingConnection,
    stream: TlsStream,
    tls: TlsInfo,
    framing: Framing<In, Out>,
    { peer, policy }: Verified,
  ): Opened<In, Out> | Promise<Opened<In, Out>> {
    const connection = new Connection<In, Out>(stream, {
      role: 'server',
      framing,
      limits: this.#config.limits,
      maxLifetime: jittered(this.#config.maxLifetime),
      peer,
      tls,
      socket: stream.socket,
      remote: pending.remote,
      proxy: pending.proxy,
      path: pending.path ?? undefined,
      requestHandler: this.#requestHandler,
      explainEnd: null,
      failures: this.#config.failures,
    });
    const opened = { connection, policy };
    const opening = connection.open();
    return opening === null ? opened : pending.race(opening).then(() => opened);
  }

  /** Verifies by the current policy; where that changes meanwhile, verifies again. */
  #verifyPeer(
    pending: PendingConnection,
    currentPolicy: () => TrustPolicy,
    stream: TlsStream,
  ): Verified | Promise<Verified> {
    const chain = pending.wasAsked
      ? readPeerChain(stream.socket, { remembered: null })
      : unaskedChain(stream.socket);
    const verify = (): Verified | Promise<Verified> => {
      const policy = currentPolicy();
      const conclude = (result: VerificationResult): Verified | Promise<Verified> => {
        pending.verifying = false;
        publishVerification('server', pending, result, chain.resumed);
        if (!result.ok) throw result.error;
        return currentPolicy() === policy ? { peer: result.peer, policy } : verify();
      };
      pending.verifying = true;
      const verifying = this.#verifier.verify(policy, chain, signalFor(policy, pending));
      return verifying instanceof Promise
        ? whilePresent(pending, stream, verifying).then(conclude)
        : conclude(verifying);
    };
    return verify();
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

/** A peer that leaves meanwhile frees its place at once. */
async function whilePresent<T>(pending: PendingConnection, stream: TlsStream, work: Promise<T>): Promise<T> {
  const stop = stream.watchPeer(() => {
    pending.left();
  });
  try {
    return await pending.race(work);
  } finally {
    stop();
  }
}

/** Creating a signal and listening to it costs more than a verification that waits for nothing. */
function signalFor({ revocation, authorize }: TrustPolicy, pending: PendingConnection): AbortSignal {
  return revocation === null && authorize === null ? NEVER : pending.signal;
}
const NEVER = new AbortController().signal;

function routedFacts(facts: TlsInfo, pending: PendingConnection): TlsInfo {
  const { routedBy } = pending;
  if (routedBy === null) return facts;
  const servername = agreedName(routedBy.servername, facts, pending.address);
  return servername === facts.servername ? facts : { ...facts, servername };
}

function publishHandshake(pending: PendingConnection, { version, cipher, resumed }: TlsInfo): void {
  if (!channels.handshake.hasSubscribers) return;
  const { address, since } = pending;
  const ms = performance.now() - since;
  channels.handshake.publish({ role: 'server', address, ms, version, cipher, resumed });
}

/** Plus or minus a tenth, so that clients that connected together don't reconnect together. */
function jittered(lifetime: number | null): number | null {
  return lifetime === null
    ? null
    : Math.min(Math.round(lifetime * (0.9 + Math.random() * 0.2)), LONGEST_WAIT);
}
