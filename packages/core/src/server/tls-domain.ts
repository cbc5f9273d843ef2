/**
 * One trust domain of a listener: a `tls.Server` that never listens, with ticket keys of its own. Sockets are handed
 * to it once admission is through with them.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server as TlsServer, type TlsOptions, type TLSSocket } from 'node:tls';
import type { Credentials } from '../credentials/credentials.js';
import { contextOptions } from '../credentials/secure-context.js';
import { fromKeyMaterial } from '../errors/from-node.js';
import type { HostConfig } from './config.js';

/** What becomes of the sockets. */
export interface TlsDomainEvents {
  /** The handshake is done; nobody was judged yet. */
  secured(socket: TLSSocket, raw: Socket): void;
  failed(error: Error, raw: Socket): void;
}

export class TlsDomain {
  readonly #server: TlsServer;
  readonly #config: HostConfig;

  /** @param protocols the ALPN protocols spoken here, most wanted first */
  constructor(
    config: HostConfig,
    credentials: Credentials,
    protocols: readonly string[],
    events: TlsDomainEvents,
  ) {
    this.#config = config;
    try {
      this.#server = createServer({
        ...this.#options(credentials),
        requestCert: config.clientCertificates !== 'none',
        // Not trust, but who decides: a refusal by Node would reach the client as silence.
        rejectUnauthorized: false,
        // The deadline from accept to verdict is ours; Node's would leave the socket open.
        handshakeTimeout: 2 * config.limits.handshakeTimeout,
        ...(protocols.length > 0 && { ALPNCallback: choose(protocols) }),
      });
    } catch (error) {
      throw fromKeyMaterial(error as Error, 'the certificate and key', undefined, false);
    }
    this.#server.on('secureConnection', (socket) => {
      events.secured(socket, rawSocketOf(socket));
    });
    this.#server.on('tlsClientError', (error, socket) => {
      const raw = rawSocketOf(socket);
      socket.destroy();
      events.failed(error, raw);
      raw.destroy();
    });
  }

  /** Starts TLS on a socket. */
  take(socket: Socket): void {
    this.#server.emit('connection', socket);
  }

  /** New connections use these from now on; sessions begun under others are not resumed. */
  replace(credentials: Credentials): void {
    try {
      this.#server.setSecureContext(this.#options(credentials) as never);
    } catch (error) {
      throw fromKeyMaterial(error as Error, 'the certificate and key', undefined, false);
    }
  }

  /** Everything is said each time: what `setSecureContext` isn't told falls back to Node's defaults. */
  #options(credentials: Credentials): TlsOptions {
    const { profile, extraTls, trustOptions } = this.#config;
    const settings = { partialChain: trustOptions.partialChain ?? false, extra: extraTls };
    return {
      ...contextOptions(credentials, profile, settings),
      ticketKeys: randomBytes(48),
      sessionIdContext: contextId(credentials, this.#config),
    };
  }
}

/** Sessions belong to those who would be judged alike (at most 32 bytes). */
function contextId({ anchorsVersion }: Credentials, { clientCertificates }: HostConfig): string {
  return createHash('sha256').update(`${anchorsVersion}/${clientCertificates}`).digest('hex').slice(0, 32);
}

function choose(protocols: readonly string[]) {
  return ({ protocols: offered }: { protocols: string[] }): string | undefined =>
    protocols.find((protocol) => offered.includes(protocol));
}

/**
 * The socket that a TLS socket was put over. Node has no public name for it; it has borne this one since TLS sockets
 * exist, and a test on every supported version holds it.
 */
function rawSocketOf(socket: TLSSocket): Socket {
  return (socket as unknown as { _parent: Socket })._parent;
}
