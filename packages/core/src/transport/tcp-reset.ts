/**
 * Resets of the TCP connection below a TLS socket. Node has `resetAndDestroy` for plain sockets alone: under TLS it finds no TCP
 * handle, and where data and a reset arrive together, libuv reports an end.
 *
 * The handle below is an internal of Node's, the same in 20, 22, 24 and 26, which the tests run on. Where it isn't there, or
 * carries a Unix socket, which has no reset, a socket is closed, and ends, as usual.
 */
import type { TLSSocket } from 'node:tls';

interface TcpHandle {
  close(done?: () => void): void;
  reset?(done?: () => void): void;
  /** @returns 0, or an error of libuv's */
  getpeername?(name: object): number;
}

/**
 * Has the socket send a reset when it is destroyed, where its system can. Not once our direction is ending: libuv refuses to
 * reset a socket that is being shut down, and Node then never closes it.
 */
export function resetOnClose(socket: TLSSocket): void {
  const tcp = handleBelow(socket);
  if (socket.writableEnded || typeof tcp?.reset !== 'function') return;
  tcp.close = tcp.reset.bind(tcp);
}

/** Whether a socket whose peer has ended was reset: then it has no peer any more, although our direction is open. */
export function wasReset(socket: TLSSocket): boolean {
  return !socket.writableEnded && (handleBelow(socket)?.getpeername?.({}) ?? 0) !== 0;
}

/** As Node reports a reset. */
export function resetError(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

function handleBelow(socket: TLSSocket): TcpHandle | undefined {
  return (socket as { _handle?: { _parent?: TcpHandle } | null })._handle?._parent;
}
