/** The plain side of a proxy: sockets without TLS. */
import { connect, type Socket } from 'node:net';
import { isLoopback, showAddress, type Address } from '../address.js';
import { UsageError } from '../usage-error.js';

/** Refuses a plain side that isn't local to this machine. */
export function requireLoopback(addresses: readonly Address[], allowed: boolean | undefined): void {
  const open = addresses.find((address) => !isLoopback(address));
  if (open === undefined || allowed === true) return;
  const host = 'path' in open ? open.path : (open.host ?? '');
  throw new UsageError(
    `the plain side at ${host} would leave this machine unencrypted`,
    'Use 127.0.0.1, or --dangerously-plain-network if that network is fully trusted.',
  );
}

/** Connects without TLS. @throws UsageError `KNSOCK_CONNECTION_REFUSED`, `KNSOCK_CONNECT_TIMEOUT` */
export function dialPlain(address: Address, timeout: number): Promise<Socket> {
  const where = 'path' in address ? address : { host: address.host ?? '127.0.0.1', port: address.port };
  const text = showAddress('path' in where ? where : { address: where.host, port: where.port });
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, allowHalfOpen: true, noDelay: true, keepAlive: true });
    const failed = (error: Error): void => {
      clearTimeout(timer);
      reject(refused(text, error));
    };
    const timer = setTimeout(() => {
      socket
        .off('error', failed)
        .on('error', () => undefined)
        .destroy();
      reject(late(text, timeout));
    }, timeout);
    socket.once('error', failed).once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

function refused(text: string, error: Error): UsageError {
  const message = `the target ${text} can't be reached: ${error.message}`;
  return new UsageError(message, 'Is it running, and is this its address?', 'KNSOCK_CONNECTION_REFUSED');
}

function late(text: string, timeout: number): UsageError {
  const message = `the target ${text} didn't answer within ${timeout} ms`;
  const hint = 'Is the target overloaded? --connect-timeout MS allows more time.';
  return new UsageError(message, hint, 'KNSOCK_CONNECT_TIMEOUT');
}
