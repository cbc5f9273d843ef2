/** The plain side of a proxy: sockets without TLS. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { isLoopback, showAddress, type Address } from '../address.js';
import { UsageError } from '../usage-error.js';

/** Refuses a plain side that others than this machine could listen to. */
export function requireLoopback(addresses: readonly Address[], allowed: boolean | undefined): void {
  const open = addresses.find((address) => !isLoopback(address));
  if (open === undefined || allowed === true) return;
  const host = 'path' in open ? open.path : (open.host ?? '');
  throw new UsageError(
    `the plain side at ${host} would leave this machine unencrypted`,
    'Use 127.0.0.1, or say --dangerously-plain-network where that network is as safe as a cable.',
  );
}

/** Connects without TLS. @throws UsageError `KNSOCK_CONNECTION_REFUSED`, `KNSOCK_CONNECT_TIMEOUT` */
export async function dialPlain(address: Address, timeout: number): Promise<Socket> {
  const where = 'path' in address ? address : { host: address.host ?? '127.0.0.1', port: address.port };
  const socket = connect({ ...where, allowHalfOpen: true, noDelay: true });
  const text = showAddress('path' in where ? where : { address: where.host, port: where.port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeout) });
    return socket;
  } catch (error) {
    socket.destroy();
    if ((error as Error).name !== 'AbortError') throw refused(text, error as Error);
    const hint = 'Is the target overloaded? --connect-timeout MS allows more time.';
    throw new UsageError(
      `the target ${text} didn’t answer within ${timeout} ms`,
      hint,
      'KNSOCK_CONNECT_TIMEOUT',
    );
  }
}

/** Listens without TLS and hands over each socket; what they become is counted until it ends. */
export class PlainListener {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #drainTimeout: number;

  constructor(onSocket: (socket: Socket) => Promise<void>, drainTimeout: number) {
    this.#drainTimeout = drainTimeout;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      this.#open.add(socket);
      socket.on('error', () => undefined).once('close', () => this.#open.delete(socket));
      void onSocket(socket);
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

  /** Accepts no more, waits for those that are open, and ends them after the deadline. */
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

function refused(text: string, error: Error): UsageError {
  const message = `the target ${text} can’t be reached: ${error.message}`;
  return new UsageError(message, 'Is it running, and is this its address?', 'KNSOCK_CONNECTION_REFUSED');
}
