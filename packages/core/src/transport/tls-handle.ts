/**
 * What Node's public interface lacks for TLS sockets: a reset of the TCP connection below, a fatal alert, and how much of a write
 * the system has taken. Node has `resetAndDestroy` for plain sockets alone: under TLS it finds no TCP handle, and where data and a
 * reset arrive together, libuv reports an end.
 *
 * The handles below are internals of Node's, the same in 20, 22, 24 and 26, which the tests run on. Where one isn't there, a socket is
 * closed, and ends, as usual; so it does on a Unix socket, which has no reset, where no alert can be sent either.
 */
import type { TLSSocket } from 'node:tls';

interface TcpHandle {
  close(done?: () => void): void;
  reset?(done?: () => void): void;
  /** @returns 0, or an error of libuv's */
  getpeername?(name: object): number;
  /** Bytes given to the handle, and those of them that the system hasn't taken. */
  readonly bytesWritten?: number;
  readonly writeQueueSize?: number;
}

interface TlsHandle {
  readonly _parent?: TcpHandle;
  /** Gives OpenSSL bytes as if they had been received. */
  receive?(bytes: Buffer): void;
}

/**
 * Not TLS, wherever it arrives: between two records its header is refused, and within one it is longer than what that record still
 * lacks, which then can't be decrypted.
 */
const NOT_TLS = Buffer.alloc(20_000, 0xff);
NOT_TLS.set([0x16, 3, 3, 0, 1, 0]);

/**
 * Sends a fatal alert (RFC 8446 6.2) behind what the system has taken. OpenSSL has no call for it, but sends one where it receives
 * what isn't TLS: `unexpected_message` in TLS 1.3, `internal_error` in TLS 1.2, and `bad_record_mac` in both amid a record of the peer's.
 * Amid a read, OpenSSL takes that once the read is done.
 * @param done whether it was sent, at once or in the next turn of the event loop: after the peer's own end OpenSSL reads nothing more
 */
export function sendAlert(socket: TLSSocket, done: (isSent: boolean) => void): void {
  const handle = handleOf(socket);
  if (typeof handle?.receive !== 'function') {
    done(false);
    return;
  }
  let isSent = false;
  const sent = (): void => {
    isSent = true;
    done(true);
  };
  socket.once('error', sent);
  handle.receive(NOT_TLS);
  if (isSent) return;
  setImmediate(() => {
    socket.off('error', sent);
    if (!isSent) done(false);
  });
}

/**
 * Has the socket send a reset when it is destroyed, where its system can. Not once our direction is ending: libuv refuses to
 * reset a socket that is being shut down, and Node then never closes it.
 * @returns whether it will
 */
export function resetOnClose(socket: TLSSocket): boolean {
  const tcp = handleOf(socket)?._parent;
  if (socket.writableEnded || typeof tcp?.reset !== 'function') return false;
  tcp.close = tcp.reset.bind(tcp);
  return true;
}

/**
 * Why a socket whose peer has ended has no peer any more, although our direction is open: as Node reports a reset; null where it
 * wasn't reset.
 */
export function resetOf(socket: TLSSocket): Error | null {
  if (socket.writableEnded || (handleOf(socket)?._parent?.getpeername?.({}) ?? 0) === 0) return null;
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
}

/** How often a connection whose peer has ended, while we send on, is looked at; and how often the peer's system is asked, in ms. */
const LOOK_MS = 1_000;
const KEEP_ALIVE_MS = 15_000;

/** Once the peer's end is read, Node waits for nothing more of it, and would notice a reset only by the next write. */
export function lookForReset(socket: TLSSocket, found: (reset: Error) => void): NodeJS.Timeout {
  // A peer that left without one is asked, and its system answers by a reset.
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return setInterval(() => {
    const reset = resetOf(socket);
    if (reset !== null) found(reset);
  }, LOOK_MS).unref();
}

/** Bytes that the system has taken, also of a write that isn't done, which the socket itself counts as a whole. */
export function bytesTaken(socket: TLSSocket): number {
  const { bytesWritten, writeQueueSize } = handleOf(socket)?._parent ?? {};
  if (bytesWritten === undefined || writeQueueSize === undefined)
    return socket.bytesWritten - socket.writableLength;
  return bytesWritten - writeQueueSize;
}

/** Whether an error is an alert of the peer's: by its text, as the codes differ by Node's version. */
export function isPeersAlert(error: Error): boolean {
  return error.message.includes('SSL alert number');
}

function handleOf(socket: TLSSocket): TlsHandle | undefined {
  return (socket as { _handle?: TlsHandle | null })._handle ?? undefined;
}
