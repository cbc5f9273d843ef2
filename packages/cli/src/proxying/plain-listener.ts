/** Listens without TLS and hands over each socket; connections are counted until they end. */
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { plainIp, type Address } from '../address.js';
import { UsageError } from '../usage-error.js';

export interface PlainListenerOptions {
  /** Maximum of concurrent connections; further ones are closed at once. */
  readonly maxConnections: number;
  readonly drainTimeout: number;
}

const admission = channel('knsock:admission');

export class PlainListener {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #drainTimeout: number;
  #accepted = 0;
  #refusedSockets = 0;

  constructor(onSocket: (socket: Socket) => void, { maxConnections, drainTimeout }: PlainListenerOptions) {
    this.#drainTimeout = drainTimeout;
    const settings = { allowHalfOpen: true, noDelay: true, keepAlive: true, pauseOnConnect: true };
    this.#server = createServer(settings, (socket) => {
      this.#accepted += 1;
      this.#open.add(socket);
      socket.on('error', ignore).once('close', () => this.#open.delete(socket));
      onSocket(socket);
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('drop', (data) => {
      this.#refusedSockets += 1;
      // The same events as core's server.
      const address = plainIp(data?.remoteAddress ?? 'unix');
      admission.publish({ address, limit: 'connections' });
    });
  }

  /** @throws UsageError `KNSOCK_PORT_IN_USE` */
  async listen(address: Address): Promise<{ address: string; port: number } | { path: string }> {
    const where = 'path' in address ? address : { host: address.host ?? '127.0.0.1', port: address.port };
    const listening = once(this.#server, 'listening');
    this.#server.listen(where);
    await listening.catch((error: unknown) => {
      const message = `listening without TLS failed: ${(error as Error).message}`;
      throw new UsageError(message, 'Choose another --listen address.', 'KNSOCK_PORT_IN_USE');
    });
    return 'path' in where ? where : (this.#server.address() as AddressInfo);
  }

  connections(): Iterable<Socket> {
    return this.#open.values();
  }

  stats(): { connections: number; accepted: number; refusedSockets: number } {
    return { connections: this.#open.size, accepted: this.#accepted, refusedSockets: this.#refusedSockets };
  }

  /** Stops accepting, waits for open connections, and destroys them after the deadline. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    const timer = setTimeout(() => {
      for (const socket of this.#open) socket.destroy();
    }, this.#drainTimeout);
    await closed;
    clearTimeout(timer);
  }
}

function ignore(): void {
  // The following close reports it.
}
