/** Opens a connection: dial, verification, framing, welcome; one deadline covers all of it, and names what it waited for. */
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { Connection } from '../connection/connection.js';
import type { SecureConnection } from '../connection/connection-types.js';
import { secureContext } from '../credentials/secure-context.js';
import {
  ClientCertificateRefusedError,
  ConnectionClosedError,
  FramingMismatchError,
  HandshakeError,
  PeerNotAllowedError,
  UntrustedPeerError,
} from '../errors/index.js';
import { fromConnection } from '../errors/from-node.js';
import { nameAddress } from '../errors/name-address.js';
import type { Payload } from '../framing/framing.js';
import { isKnsock } from '../framing/index.js';
import { channels } from '../observe/channels.js';
import { offerOf } from '../policy/tls-profile.js';
import { wasCertificateRequested } from '../transport/certificate-request.js';
import { dial, showTarget, type DialProgress } from '../transport/dial.js';
import type { Endpoint } from '../transport/proxy-header.js';
import { raceAbort } from '../waiting/race-abort.js';
import { tlsFacts } from '../transport/tls-facts.js';
import type { TlsStream } from '../transport/tls-stream.js';
import type { Path } from '../trust/path-cache.js';
import { readPeerChain } from '../trust/peer-chain.js';
import { publishVerification } from '../trust/publish-verification.js';
import { PeerVerifier } from '../trust/peer-verifier.js';
import { connectConfig, type ConnectConfig, type ConnectOptions, type ReachConfig } from './config.js';
import { Deadline } from './deadline.js';
import { explainSilence } from './early-end.js';
import { LiveTrust } from './live-trust.js';
import { SessionCache, type KeptSession } from './session-cache.js';
import { sessionKey } from './session-key.js';
import { verifyServer } from './verify-server.js';

const verifier = new PeerVerifier();
const sessions = new SessionCache();

/**
 * Connects to a server, verifies it, and resolves when it has accepted the connection.
 * The same frozen options object (its lists and plain objects frozen too) is read once.
 * @throws ConnectionError (unreachable, timeout with its phase), HandshakeError, UntrustedPeerError and
 *   PeerNotAllowedError (our verification), ClientCertificateRefusedError (theirs), FramingMismatchError,
 *   InvalidOptionError, or the signal's reason
 */
export async function connect<In = Buffer, Out = Payload>(
  options: ConnectOptions<In, Out>,
): Promise<SecureConnection<In, Out>> {
  const config = connectConfig(options);
  config.signal?.throwIfAborted();
  const progress: DialProgress = { phase: 'tcp' };
  const deadline = new Deadline(config, progress);
  try {
    const key = config.resume ? sessionKey(config, config.framing.alpn) : null;
    const kept = key === null ? null : sessions.take(key);
    try {
      return await open(config, progress, deadline.signal, key, kept);
    } catch (error) {
      // A session may outlive the trust that verified it; a full handshake decides.
      if (kept === null || key === null || !isRefusal(error) || config.target.kind === 'socket') throw error;
      sessions.forget(key);
      return await open(config, progress, deadline.signal, key, null);
    }
  } finally {
    deadline.clear();
  }
}

/** The refusals that a full handshake may resolve. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof ClientCertificateRefusedError ||
    error instanceof HandshakeError ||
    error instanceof UntrustedPeerError ||
    error instanceof PeerNotAllowedError
  );
}

async function open<In, Out>(
  config: ConnectConfig<In, Out>,
  progress: DialProgress,
  signal: AbortSignal,
  key: string | null,
  kept: KeptSession | null,
): Promise<SecureConnection<In, Out>> {
  const tickets = new Tickets(key);
  const stream = await dialTls(config, progress, signal, kept, tickets);
  const live = new LiveTrust<In, Out>(config, verifier);
  const connection = await admit(config, stream, progress, signal, kept, tickets).catch((error: unknown) => {
    live.stop();
    stream.destroy();
    throw error;
  });
  try {
    await raceAbort(live.follow(connection), signal);
    return connection;
  } catch (error) {
    live.stop();
    connection.fail(error as Error);
    throw error;
  }
}

async function dialTls<In, Out>(
  config: ConnectConfig<In, Out>,
  progress: DialProgress,
  signal: AbortSignal,
  kept: KeptSession | null,
  tickets: Tickets,
): Promise<TlsStream> {
  const started = performance.now();
  try {
    const stream = await dial({
      target: config.target,
      header: config.proxyHeader,
      tls: tlsOptions(config),
      session: kept?.session ?? null,
      offer: offerOf(config.profile),
      signal,
      progress,
      prepare: (socket) => {
        tickets.collect(socket);
        // Node emits the secrets only where there is a listener before the handshake.
        if (channels.keylog.hasSubscribers)
          socket.on('keylog', (line) => {
            channels.keylog.publish({ role: 'client', line });
          });
      },
    });
    publishHandshake(config, stream.socket, started);
    return stream;
  } catch (error) {
    if (!(error instanceof HandshakeError) || error.reason !== 'alpn') throw error;
    const message = `the server at ${showTarget(config.target)} doesn't speak ${config.framing.name} (ALPN ${config.framing.alpn ?? ''})`;
    throw new FramingMismatchError(message, { cause: error });
  }
}

function publishHandshake({ target }: ReachConfig, socket: TLSSocket, started: number): void {
  if (!channels.handshake.hasSubscribers) return;
  const { version, cipher, resumed } = tlsFacts(socket);
  const ms = performance.now() - started;
  channels.handshake.publish({
    role: 'client',
    address: showTarget(target),
    ms,
    version,
    cipher,
    resumed,
  });
}

function tlsOptions<In, Out>(config: ConnectConfig<In, Out>): ConnectionOptions {
  const { trust, profile, extraTls, framing } = config;
  return {
    ...extraTls,
    secureContext: secureContext(trust.credentials, profile, {
      partialChain: trust.partialChain,
      extra: extraTls,
    }),
    servername: config.servername,
    ...(framing.alpn !== undefined && { ALPNProtocols: [framing.alpn] }),
    allowHalfOpen: true,
    // Doesn't skip verification: knsock verifies before the program sees the connection.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  } as ConnectionOptions;
}

async function admit<In, Out>(
  config: ConnectConfig<In, Out>,
  stream: TlsStream,
  progress: DialProgress,
  signal: AbortSignal,
  kept: KeptSession | null,
  tickets: Tickets,
): Promise<Connection<In, Out>> {
  const { socket } = stream;
  const { framing } = config;
  const address = showTarget(config.target);
  const chain = readPeerChain(socket, { remembered: kept?.path ?? null });
  const tls = tlsFacts(socket);
  const asked = wasCertificateRequested(socket);
  const silence = (error: Error | undefined, awaited: boolean): Error | null => {
    // A knsock server sends the reason of a refusal: its silence is none.
    if (isKnsock(framing)) return null;
    const evidence = {
      address,
      framing: framing.name,
      agreed: framing.alpn !== undefined && framing.alpn === tls.alpn,
      asked,
      shown: config.trust.credentials.certificate?.subject.toString() ?? null,
      tickets: tickets.seen,
    };
    return explainSilence({ ...evidence, version: tls.version, resumed: tls.resumed, awaited }, error);
  };
  const result = await verifyServer(
    verifier,
    config,
    chain,
    stream,
    signal,
    (error) => silence(error, false) ?? departure(config, error),
  );
  publishVerification('client', { address }, result, chain.resumed);
  if (!result.ok) throw nameAddress(result.error, address);
  demandFraming(config, socket);
  tickets.admit(result.peer?.path ?? []);
  const connection: Connection<In, Out> = new Connection<In, Out>(stream, {
    role: 'client',
    framing,
    limits: config.limits,
    maxLifetime: null,
    peer: result.peer,
    tls,
    socket,
    remote: remoteOf(socket),
    proxy: null,
    path: config.target.kind === 'path' ? config.target.path : undefined,
    requestHandler: config.requestHandler,
    failures: config.failures,
    explainEnd: (error) => silence(error, connection.stats().requestsWaiting > 0),
  });
  progress.phase = 'welcome';
  const opening = connection.open();
  if (opening !== null) await raceAbort(opening, signal);
  return connection;
}

function demandFraming<In, Out>(
  { framing, target }: ConnectConfig<In, Out>,
  { alpnProtocol }: TLSSocket,
): void {
  if (framing.alpn === undefined || alpnProtocol === framing.alpn) return;
  if (framing.alpnOptional === true && !alpnProtocol) return;
  throw new FramingMismatchError(
    `the server at ${showTarget(target)} didn't agree to ${framing.name} (ALPN ${framing.alpn})`,
  );
}

/** The error of a server that left while we verified it. */
function departure<In, Out>({ target, framing }: ConnectConfig<In, Out>, error: Error | undefined): Error {
  const address = showTarget(target);
  if (error !== undefined) return fromConnection(error, 'client', address);
  const words = `${address} ended the connection while we verified its certificate`;
  return new ConnectionClosedError(isKnsock(framing) ? false : 'unknown', words);
}

function remoteOf({ remoteAddress, remotePort }: TLSSocket): Endpoint | null {
  return remoteAddress === undefined ? null : { address: remoteAddress, port: remotePort ?? 0 };
}

/** As many as a server may reasonably send; one that isn't trusted yet must not fill the memory. */
const MOST_WAITING = 64;

/** The session tickets of one connection, stored for the next one once its peer is trusted. */
class Tickets {
  readonly #key: string | null;
  #path: Path | null = null;
  #waiting: Buffer[] = [];
  /** Whether the server sent any. */
  seen = false;

  constructor(key: string | null) {
    this.#key = key;
  }

  collect(socket: TLSSocket): void {
    socket.on('session', (session: Buffer) => {
      this.seen = true;
      if (this.#waiting.length < MOST_WAITING) this.#waiting.push(session);
      this.#keep();
    });
  }

  admit(path: Path): void {
    this.#path = path;
    this.#keep();
  }

  #keep(): void {
    if (this.#path === null) return;
    for (const session of this.#waiting) {
      if (this.#key !== null) sessions.keep(this.#key, { session, path: this.#path });
    }
    this.#waiting = [];
  }
}
