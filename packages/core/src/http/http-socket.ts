/**
 * A connection as the socket that Node's HTTP takes: its raw bytes, and what programs ask of a TLS socket. Identity and
 * address are those of our verdict and of a trusted proxy; timers and process references are those of the real socket.
 */
import { isIPv6, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SecureConnection } from '../connection/connection-types.js';
import type { PeerIdentity } from '../transport/peer-identity.js';

/** What HTTP is handed instead of a TLS socket. */
export interface HttpSocket extends Duplex, TlsQuestions {
  /** The verified connection below. */
  readonly connection: SecureConnection;
  /** Who the other end proved to be; null where it showed no certificate. */
  readonly peer: PeerIdentity | null;
  /** As of a `tls.TLSSocket`. */
  readonly encrypted: true;
  /** Whether the other end showed a certificate that was verified. */
  readonly authorized: boolean;
  /** Always null: an unverified peer gets no socket. */
  readonly authorizationError: null;
  /** The client's address from a trusted proxy's PROXY header, if there is one. */
  readonly remoteAddress: string | undefined;
  /** The peer's port; undefined on a Unix socket. */
  readonly remotePort: number | undefined;
  /** The family of the peer's address. */
  readonly remoteFamily: 'IPv4' | 'IPv6' | undefined;
  /** The own address. */
  readonly localAddress: string | undefined;
  /** The own port. */
  readonly localPort: number | undefined;
  /** The protocol agreed on; false where none was. */
  readonly alpnProtocol: string | false;
  /** The name that the client asked for; false where it asked for none. */
  readonly servername: string | false;
  /** Bytes inside TLS that came. */
  readonly bytesRead: number;
  /** Bytes inside TLS that were sent. */
  readonly bytesWritten: number;
  /** Always false: it is made when the handshake is over. */
  readonly connecting: false;
  /** Always false, for the same reason. */
  readonly pending: false;
  /** Milliseconds without traffic after which `timeout` is emitted; undefined: never. */
  readonly timeout: number | undefined;
  /** The own address, as `net.Socket` gives it. */
  address(): AddressInfo | object;
  /** As of a `net.Socket`; milliseconds, 0 turns it off. */
  setTimeout(ms: number, listener?: () => void): this;
  /** As of a `net.Socket`. */
  setNoDelay(on?: boolean): this;
  /** As of a `net.Socket`; the delay in milliseconds. */
  setKeepAlive(on?: boolean, delay?: number): this;
  /** As of a `net.Socket`. */
  ref(): this;
  /** As of a `net.Socket`. */
  unref(): this;
  /** Ends our direction, and both once the system has taken all that was written. */
  destroySoon(): void;
}

/** Questions that the real socket answers. */
const questions = [
  'exportKeyingMaterial',
  'getCertificate',
  'getCipher',
  'getEphemeralKeyInfo',
  'getFinished',
  'getPeerCertificate',
  'getPeerFinished',
  'getPeerX509Certificate',
  'getProtocol',
  'getX509Certificate',
  'isSessionReused',
] as const satisfies readonly (keyof TLSSocket)[];
type TlsQuestions = Pick<TLSSocket, (typeof questions)[number]>;

/** How a client reports its socket's use: Node's agents and undici release the process while one is idle. */
export interface UseListener {
  inUse(): void;
  idle(): void;
}

interface State {
  readonly connection: SecureConnection;
  readonly authorized: boolean;
  readonly use: UseListener | null;
  readonly socket: TLSSocket;
  timed: boolean;
}

const STATE = Symbol('http-socket');
type Self = HttpSocket & { [STATE]: State };

/**
 * Takes the raw bytes of a connection over.
 * @param authorized whether a certificate of the peer was verified
 */
export function httpSocket(
  connection: SecureConnection,
  authorized: boolean,
  use: UseListener | null = null,
): HttpSocket {
  const socket = connection.stream() as Self;
  // Another prototype would be tidier, and costs a tenth of all requests a second.
  Object.defineProperties(socket, descriptors);
  socket[STATE] = { connection, authorized, use, socket: connection.socket, timed: false };
  // After an upgrade, and in an agent's pool, nobody else may listen; an error would end the process then.
  socket.on('error', ignore);
  return socket;
}

/** The connection under a socket that `httpSocket` made; null for any other. */
export function connectionUnder(socket: object | null | undefined): SecureConnection | null {
  return (socket as Partial<Self> | null | undefined)?.[STATE]?.connection ?? null;
}

function ignore(): void {
  // The connection tells how it ended by `closed`.
}

const getters: { readonly [Name in keyof HttpSocket]?: (state: State) => HttpSocket[Name] } = {
  connection: ({ connection }) => connection,
  peer: ({ connection }) => connection.peer,
  encrypted: () => true,
  authorized: ({ authorized }) => authorized,
  authorizationError: () => null,
  remoteAddress: ({ connection }) => connection.remote?.address,
  remotePort: ({ connection }) => connection.remote?.port,
  remoteFamily: ({ connection: { remote } }) =>
    remote === null ? undefined : isIPv6(remote.address) ? 'IPv6' : 'IPv4',
  localAddress: ({ socket }) => socket.localAddress,
  localPort: ({ socket }) => socket.localPort,
  alpnProtocol: ({ connection }) => connection.tls.alpn ?? false,
  servername: ({ connection }) => connection.tls.servername ?? false,
  bytesRead: ({ socket }) => socket.bytesRead,
  bytesWritten: ({ socket }) => socket.bytesWritten,
  connecting: () => false,
  pending: () => false,
  timeout: ({ socket }) => socket.timeout,
};

const methods: Partial<HttpSocket> & ThisType<Self> = {
  address() {
    return this[STATE].socket.address();
  },
  setTimeout(ms, listener) {
    const state = this[STATE];
    if (!state.timed) {
      state.timed = true;
      state.socket.on('timeout', () => this.emit('timeout'));
    }
    state.socket.setTimeout(ms);
    if (listener !== undefined && ms === 0) this.off('timeout', listener);
    else if (listener !== undefined) this.once('timeout', listener);
    return this;
  },
  setNoDelay(on) {
    this[STATE].socket.setNoDelay(on);
    return this;
  },
  setKeepAlive(on, delay) {
    this[STATE].socket.setKeepAlive(on, delay);
    return this;
  },
  ref() {
    const { socket, use } = this[STATE];
    socket.ref();
    use?.inUse();
    return this;
  },
  unref() {
    const { socket, use } = this[STATE];
    socket.unref();
    use?.idle();
    return this;
  },
  destroySoon() {
    if (this.destroyed) return;
    if (!this.writableEnded) this.end();
    const { socket } = this[STATE];
    const taken = (): void => {
      if (socket.writableFinished || socket.destroyed) this.destroy();
      else socket.once('finish', () => this.destroy());
    };
    if (this.writableFinished) taken();
    else this.once('finish', taken);
  },
};

const descriptors: PropertyDescriptorMap = {
  ...describe(getters, (read) => ({
    get(this: Self): unknown {
      return read(this[STATE]);
    },
  })),
  ...describe(methods as Record<string, unknown>, (method) => ({ value: method })),
  ...describe(Object.fromEntries(questions.map((name) => [name, name])), (name) => ({
    value(this: Self, ...args: unknown[]): unknown {
      const socket: Record<string, (...given: unknown[]) => unknown> = this[STATE].socket as never;
      return socket[name]?.(...args);
    },
  })),
};

function describe<V>(
  table: Readonly<Record<string, V>>,
  by: (value: V) => PropertyDescriptor,
): PropertyDescriptorMap {
  return Object.fromEntries(
    Object.entries(table).map(([name, value]) => [name, { ...by(value), configurable: true }]),
  );
}
