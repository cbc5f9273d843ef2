/**
 * Answers ACME servers that validate a name by tls-alpn-01 (RFC 8737): handshakes with the certificate that a source of
 * credentials has for the validation. None of them becomes a connection, whatever the client shows or sends.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { endPeer } from '../connection/lingering-close.js';
import { asError } from '../errors/as-error.js';
import { noConnection } from '../errors/failure-reporter.js';
import { fromHandshake } from '../errors/from-node.js';
import { HandshakeError } from '../errors/index.js';
import { channels } from '../observe/channels.js';
import { ACME_TLS } from '../transport/client-hello.js';
import { endWithAlert } from '../transport/preface.js';
import { tlsFacts } from '../transport/tls-facts.js';
import { TlsStream } from '../transport/tls-stream.js';
import { agreedName } from './agreed-name.js';
import { ChallengeContexts } from './challenge-contexts.js';
import type { HostConfig } from './config.js';
import type { PendingConnection, PendingConnections } from './pending-connection.js';
import type { ContextEvents } from './server-context.js';
import type { VirtualHosts } from './virtual-hosts.js';

/** RFC 8446 6.2. */
const INTERNAL_ERROR = 80;

export class Validations implements ContextEvents {
  /** Handshakes that answered a validation. */
  answered = 0;
  readonly #config: Pick<HostConfig, 'limits' | 'failures'>;
  readonly #connections: PendingConnections;
  readonly #contexts: ChallengeContexts;

  constructor(config: Pick<HostConfig, 'limits' | 'failures'>, connections: PendingConnections) {
    this.#config = config;
    this.#connections = connections;
    this.#contexts = new ChallengeContexts(config.limits.handshakeTimeout, this);
  }

  /**
   * Answers the validation of a name, or refuses it where a source fails. @returns false where no source has a challenge:
   * nothing was done
   */
  take(pending: PendingConnection, requested: string | null, hosts: VirtualHosts): boolean {
    if (requested === null) return false;
    const servername = canonical(requested);
    try {
      const context = this.#contexts.of(servername, hosts.challengeFor(servername));
      if (context === null) return false;
      pending.routedBy = { servername: requested };
      context.take(pending.socket);
    } catch (error) {
      this.#refuse(pending, servername, error);
    }
    return true;
  }

  #refuse(pending: PendingConnection, servername: string, error: unknown): void {
    const what = `the answer to an ACME validation of ${JSON.stringify(servername)}`;
    this.#config.failures.report(error, noConnection, what);
    this.#connections.fail(
      pending,
      new HandshakeError('other', `${what} can't be made`, { cause: asError(error) }),
    );
    endWithAlert(pending.socket, INTERNAL_ERROR);
  }

  // ── what the contexts report ──

  failed(error: Error, raw: Socket): void {
    const pending = this.#connections.find(raw);
    if (pending === undefined) return;
    this.#connections.broken(pending, fromHandshake(error, 'server', { address: pending.address }));
  }

  secured(socket: TLSSocket, raw: Socket): void {
    const pending = this.#connections.find(raw);
    if (pending === undefined) {
      socket.destroy();
      return;
    }
    const stream = new TlsStream(socket, null);
    try {
      const servername = agreedChallenge(socket, pending);
      this.#connections.leave(pending, null);
      this.answered += 1;
      if (channels.validation.hasSubscribers)
        channels.validation.publish({ address: pending.address, servername });
      endPeer(stream);
    } catch (error) {
      this.#connections.fail(pending, asError(error));
      stream.destroy();
    }
  }
}

/**
 * The name that was validated. A client that must send a second ClientHello might ask for something else in it.
 * @throws HandshakeError
 */
function agreedChallenge(socket: TLSSocket, { routedBy, address }: PendingConnection): string {
  const servername = agreedName(routedBy?.servername ?? null, tlsFacts(socket), address);
  if (socket.alpnProtocol === ACME_TLS && servername !== null) return canonical(servername);
  const words = `${address} asked for ${ACME_TLS} before TLS began and not in the handshake`;
  throw new HandshakeError('client-hello', words);
}

/** The same name in DNS, with or without the trailing dot of the root. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
