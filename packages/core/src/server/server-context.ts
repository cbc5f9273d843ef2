/**
 * What serves one virtual host of a listener: our credentials there, the clients accepted, and a `tls.Server` with its
 * own ticket keys that never listens. Each SNI entry has one, chosen by the ClientHello before TLS: on some versions of Node a
 * ticket for one name is accepted for another, and the name of a resumed connection isn't always reported.
 * A context never changes: a rotation creates new ones.
 */
import type { Socket } from 'node:net';
import { createServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Credentials } from '../credentials/credentials.js';
import { contextOptions } from '../credentials/secure-context.js';
import { fromKeyMaterial } from '../errors/from-node.js';
import { channels } from '../observe/channels.js';
import type { ExtraTls } from '../policy/extra-tls.js';
import { LONGEST_WAIT } from '../options/index.js';
import type { TlsProfile } from '../policy/tls-profile.js';
import { readChainsEarly } from '../trust/peer-chain.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { TicketSecret } from './ticket-keys.js';
import { trustDigest } from './trust-digest.js';
import type { ClientCertificates } from './trust-state.js';

/** What happens to the sockets. */
export interface ContextEvents {
  /** The handshake is done; the peer isn't verified yet. @param wasAsked whether a certificate was requested */
  secured(socket: TLSSocket, raw: Socket, wasAsked: boolean): void;
  failed(error: Error, raw: Socket): void;
}

export interface ContextSettings {
  /** The SNI entry; null for the default. */
  readonly name: string | null;
  readonly credentials: Credentials;
  readonly clientCertificates: ClientCertificates;
  readonly trust: TrustPolicy;
  readonly profile: TlsProfile;
  readonly extraTls: ExtraTls;
  /** The supported ALPN protocols, most preferred first. */
  readonly protocols: readonly string[];
  readonly handshakeTimeout: number;
  readonly secret: TicketSecret;
}

export class ServerContext {
  readonly trust: TrustPolicy;
  readonly #settings: ContextSettings;
  readonly #server: TlsServer;
  #asksForKeys = false;

  /** @throws CredentialsError where OpenSSL doesn't accept the certificate and key */
  constructor(settings: ContextSettings, events: ContextEvents) {
    this.trust = settings.trust;
    this.#settings = settings;
    this.#server = hideKeys(this.#create());
    const asks = settings.clientCertificates !== 'none';
    if (asks) readChainsEarly(this.#server);
    this.#server.on('secureConnection', (socket) => {
      socket.allowHalfOpen = true;
      events.secured(socket, rawSocketOf(socket), asks);
    });
    this.#server.on('tlsClientError', (error, socket) => {
      const raw = rawSocketOf(socket);
      // Node leaves the socket open after a handshake timeout and some alerts.
      socket.destroy();
      events.failed(error, raw);
      raw.destroy();
    });
  }

  /** Starts TLS on a socket; what was read of it must have been put back. */
  take(socket: Socket): void {
    // Half-open is for established connections: a peer that ends in the middle of its handshake has left.
    socket.allowHalfOpen = false;
    this.#askForKeys();
    this.#server.emit('connection', socket);
  }

  /** Node emits the secrets of a connection only where there is a listener when it begins. */
  #askForKeys(): void {
    const isWatched = channels.keylog.hasSubscribers;
    if (this.#asksForKeys === isWatched) return;
    this.#asksForKeys = isWatched;
    if (isWatched) this.#server.on('keylog', tellKeys);
    else this.#server.off('keylog', tellKeys);
  }

  /** A new epoch of ticket keys has begun. */
  renewTicketKeys(): void {
    this.#server.setTicketKeys(this.#ticketKeys());
  }

  #create(): TlsServer {
    const { credentials, profile, extraTls, trust, clientCertificates, protocols, handshakeTimeout } =
      this.#settings;
    const settings = { partialChain: trust.partialChain, extra: extraTls };
    const context = contextOptions(credentials, profile, settings);
    try {
      return createServer({
        ...context,
        requestCert: clientCertificates !== 'none',
        // Doesn't skip verification: knsock verifies, since a refusal by Node would reach the client without a reason.
        rejectUnauthorized: false,
        // Our deadline covers accept to admission; this one is a fallback.
        handshakeTimeout: Math.min(2 * handshakeTimeout, LONGEST_WAIT),
        ticketKeys: this.#ticketKeys(),
        sessionIdContext: trustDigest(this.#settings).slice(0, 32),
        ...(protocols.length > 0 && { ALPNCallback: chooser(protocols) }),
      });
    } catch (error) {
      throw fromKeyMaterial(error as Error, 'the certificate and key', undefined, false);
    }
  }

  #ticketKeys(): Buffer {
    return this.#settings.secret.keys(trustDigest(this.#settings));
  }
}

/** Node keeps the context's options on the server, which every socket references; they are no longer needed. */
function hideKeys(server: TlsServer): TlsServer {
  for (const name of ['key', 'pfx', 'passphrase', 'ticketKeys'])
    Object.defineProperty(server, name, { value: undefined, writable: true, configurable: true });
  return server;
}

function chooser(protocols: readonly string[]) {
  return ({ protocols: offered }: { protocols: string[] }): string | undefined =>
    protocols.find((protocol) => offered.includes(protocol));
}

function tellKeys(line: Buffer): void {
  channels.keylog.publish({ role: 'server', line });
}

/**
 * The socket that a TLS socket was put over. Node has no public name for it; it has had this one since TLS sockets
 * exist, and a test on every supported version checks it.
 */
function rawSocketOf(socket: TLSSocket): Socket {
  return (socket as unknown as { _parent: Socket })._parent;
}
