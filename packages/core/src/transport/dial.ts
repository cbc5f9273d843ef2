/**
 * Opens a TLS connection: to the first of a host's addresses that answers (RFC 8305: the next one starts 250 ms later
 * or as soon as one fails, and the others are abandoned), to a Unix socket, or over an existing socket.
 */
import { connect as tcpConnect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect, TLSSocket, type ConnectionOptions } from 'node:tls';
import { fromDial, fromHandshake } from '../errors/from-node.js';
import type { HandshakeOffer } from '../errors/index.js';
import { hasCertificate, wasCertificateRequested } from './certificate-request.js';
import { addressesOf } from './addresses.js';
import { OnreadTap } from './onread-tap.js';
import { TlsStream } from './tls-stream.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

export type DialTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'socket'; readonly socket: Duplex };

/** The phase of dialling, for deadlines that name what they waited for. */
export interface DialProgress {
  phase: 'dns' | 'tcp' | 'tls' | 'welcome';
}

export interface Dial {
  readonly target: DialTarget;
  /** Sent before TLS: a PROXY header. */
  readonly header: Buffer | null;
  /** Without host, port, socket, session and onread, which are set here. */
  readonly tls: ConnectionOptions;
  /** The session to resume. */
  readonly session: Buffer | null;
  /** What `tls` offers, for errors. */
  readonly offer: HandshakeOffer;
  readonly signal: AbortSignal;
  readonly progress: DialProgress;
  /** Called with each socket before it is used. */
  prepare(socket: TLSSocket): void;
}

const NEXT_ATTEMPT_MS = 250;

/** Text for errors: the target of the connection. */
export function showTarget(target: DialTarget): string {
  if (target.kind === 'path') return target.path;
  if (target.kind === 'socket') return 'the given socket';
  return target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
}

/** @throws ConnectionError, HandshakeError, or the signal's reason */
export async function dial(options: Dial): Promise<TlsStream> {
  const { target, signal, progress } = options;
  if (target.kind === 'socket') return handshake(secureOver(target.socket, options), null, options);
  progress.phase = 'tcp';
  const places = target.kind === 'path' ? [{ path: target.path }] : await resolve(target, options);
  signal.throwIfAborted();
  const { secure } = await firstToConnect(places, options);
  progress.phase = 'tls';
  return secure();
}

type Place = { path: string } | { host: string; port: number };

/** A connecting socket, and what to start once it is connected. */
interface Attempt {
  readonly socket: Socket;
  readonly secure: () => Promise<TlsStream>;
}

async function resolve(target: DialTarget & { kind: 'tcp' }, { signal, progress }: Dial): Promise<Place[]> {
  progress.phase = 'dns';
  try {
    const addresses = await addressesOf(target.host, signal);
    return addresses.map(({ address }) => ({ host: address, port: target.port }));
  } catch (error) {
    if (signal.aborted) throw error;
    throw fromDial(error as Error, { address: showTarget(target) });
  } finally {
    progress.phase = 'tcp';
  }
}

function attempt(options: Dial, place: Place): Attempt {
  if (options.header !== null) {
    const socket = tcpConnect({ allowHalfOpen: true, noDelay: true, keepAlive: true, ...place });
    return { socket, secure: () => handshake(secureOver(socket, options), null, options) };
  }
  const tap = new OnreadTap();
  const onread = { onread: tap.option };
  const early = TAKES_SESSION ? {} : sessionOption(options);
  const socket = tlsConnect({ ...options.tls, ...early, ...place, ...onread } as ConnectionOptions);
  if (TAKES_SESSION && options.session !== null) (socket as TakesSession).setSession(options.session);
  // `tls.connect` ignores the options of that name; with Nagle's algorithm a second write waits 40 ms for an ACK.
  if (tap !== null) socket.setNoDelay(true).setKeepAlive(true);
  spareIdentityCheck(socket);
  options.prepare(socket);
  return { socket, secure: () => handshake(socket, tap, options) };
}

/**
 * Passed as an option, Node parses a session twice, with the certificate in it: a tenth of the cost of a resumed connection. By
 * this method, which Node's documentation omits, it parses it once.
 */
type TakesSession = TLSSocket & { setSession(session: Buffer): void };
const TAKES_SESSION = 'setSession' in TLSSocket.prototype;

function sessionOption({ session }: Dial): { session?: Buffer } {
  return session === null ? {} : { session };
}

/** TLS over an existing socket, after the header. */
function secureOver(wire: Duplex, options: Dial): TLSSocket {
  holdErrors(wire);
  if (wire.destroyed) throw whyDestroyed(wire, options);
  if (options.header !== null) wire.write(options.header);
  const socket = tlsConnect({ ...options.tls, ...sessionOption(options), socket: wire });
  spareIdentityCheck(socket);
  options.prepare(socket);
  return socket;
}

/** A given stream may fail at any time from now on; the handshake over it reports why. */
function holdErrors(wire: Duplex): void {
  wire.on('error', ignore);
}

function whyDestroyed(wire: Duplex, { target }: Dial): Error {
  const cause = wire.errored ?? Object.assign(new Error('it is closed already'), { code: 'ECONNRESET' });
  return fromDial(cause, { address: showTarget(target) });
}

/**
 * Before `secureConnect` Node decodes the whole chain, only for `checkServerIdentity`, at up to a quarter of
 * the cost of a connection; ours ignores it, as knsock reads the certificates itself. So until then the
 * socket has no chain to show.
 */
function spareIdentityCheck(socket: TLSSocket): void {
  const own = socket as { getPeerCertificate?: unknown };
  own.getPeerCertificate = () => ({});
  socket.once('secureConnect', () => delete own.getPeerCertificate);
}

/** Starts attempts one after the other; the first to connect wins and the others are ended. */
function firstToConnect(places: readonly Place[], options: Dial): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Attempt>();
    const waiting = [...places];
    let timer: NodeJS.Timeout | undefined;
    const finish = (winner: Attempt | null): void => {
      clearTimeout(timer);
      offAbort(options.signal, aborted);
      waiting.length = 0;
      for (const other of attempts) if (other !== winner) other.socket.destroy();
      attempts.clear();
    };
    const aborted = (): void => {
      finish(null);
      reject(options.signal.reason as Error);
    };
    const startNext = (): void => {
      clearTimeout(timer);
      const place = waiting.shift();
      if (place === undefined) return;
      const started = attempt(options, place);
      attempts.add(started);
      const failed = (error: Error): void => {
        if (!attempts.delete(started)) return;
        if (waiting.length > 0) startNext();
        else if (attempts.size === 0) {
          finish(null);
          reject(fromDial(error, { address: showTarget(options.target), onPath: 'path' in place }));
        }
      };
      started.socket.once('connect', () => {
        if (!attempts.has(started)) return;
        started.socket.off('error', failed);
        finish(started);
        resolve(started);
      });
      started.socket.on('error', failed);
      if (waiting.length > 0) timer = setTimeout(startNext, NEXT_ATTEMPT_MS);
    };
    onAbort(options.signal, aborted);
    startNext();
  });
}

/** Waits for the handshake; the stream takes over the socket in the same turn, so that nothing is lost in between. */
function handshake(socket: TLSSocket, tap: OnreadTap | null, options: Dial): Promise<TlsStream> {
  const address = showTarget(options.target);
  if (options.progress.phase !== 'tls') options.progress.phase = 'tls';
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      socket.off('secureConnect', secured);
      socket.off('error', failed);
      socket.off('close', closed);
      offAbort(options.signal, aborted);
    };
    const secured = (): void => {
      leave();
      resolve(new TlsStream(socket, tap));
    };
    const failed = (error: Error): void => {
      leave();
      socket.on('error', ignore);
      const progress = { asked: wasCertificateRequested(socket), shown: hasCertificate(socket) };
      socket.destroy();
      reject(fromHandshake(error, 'client', { address, offer: options.offer, progress }));
    };
    const closed = (): void => {
      failed(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    };
    const aborted = (): void => {
      leave();
      socket.on('error', ignore);
      socket.destroy();
      reject(options.signal.reason as Error);
    };
    socket.on('secureConnect', secured);
    socket.on('error', failed);
    socket.on('close', closed);
    onAbort(options.signal, aborted);
    if (options.signal.aborted) aborted();
  });
}

function ignore(): void {
  // The failure was already reported; later errors of the socket add nothing.
}
