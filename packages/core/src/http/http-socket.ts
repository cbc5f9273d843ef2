/**
 * A connection as the socket that Node's HTTP takes: its raw bytes, and what programs ask of a TLS socket. Identity and
 * address are those of our verdict and of a trusted proxy; timers and process references are those of the real socket.
 * A client's may be made before its connection, as Node's are.
 */
import { isIPv6, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { SecureConnection } from '../connection/connection-types.js';
import { EarlyStream } from '../connection/raw-stream.js';
import { asError } from '../errors/as-error.js';
import type { PeerIdentity } from '../transport/peer-identity.js';
import { PendingSettings } from './pending-settings.js';

/** What HTTP is handed instead of a TLS socket. */
export interface HttpSocket extends Duplex, TlsQuestions {
  /** The verified connection below; null while a client's socket connects. */
  readonly connection: SecureConnection | null;
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
  /** Bytes received inside TLS. */
  readonly bytesRead: number;
  /** Bytes inside TLS that were sent. */
  readonly bytesWritten: number;
  /** Whether a client's socket has no verified connection yet; then `connect` and `secureConnect` are emitted. */
  readonly connecting: boolean;
  /** As `connecting`. */
  readonly pending: boolean;
  /** Milliseconds without traffic, or of connecting, after which `timeout` is emitted; undefined: never. */
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

/** What a connected socket is made of. */
export interface Connected {
  readonly connection: SecureConnection;
  /** Whether a certificate of the peer was verified. */
  readonly authorized: boolean;
  readonly use: UseListener | null;
}

interface State {
  connected: Connected | null;
  socket: TLSSocket | null;
  connecting: PendingSettings<HttpSocket> | null;
  timed: boolean;
}

const STATE = Symbol('http-socket');
type Self = HttpSocket & { [STATE]: State };

/** Takes the raw bytes of a connection over. */
export function httpSocket(connected: Connected): HttpSocket {
  const { connection } = connected;
  return dressed(connection.stream(), {
    connected,
    socket: connection.socket,
    connecting: null,
    timed: false,
  });
}

/**
 * A client's socket, at once: its destruction aborts `open`, and the failure of `open` destroys it. What is written
 * meanwhile waits.
 */
export function connectingSocket(open: (signal: AbortSignal) => Promise<Connected>): HttpSocket {
  const aborted = new AbortController();
  const early = new EarlyStream(() => {
    state.connecting?.drop();
    state.connecting = null;
    aborted.abort();
  });
  const state: State = { connected: null, socket: null, connecting: new PendingSettings(), timed: false };
  const socket = dressed(early.duplex, state);
  open(aborted.signal).then(
    (connected) => {
      if (socket.destroyed) connected.connection.destroy();
      else connect(socket, early, connected);
    },
    (error: unknown) => {
      socket.destroy(asError(error));
    },
  );
  return socket;
}

/** What our connections can, beyond what programs see. */
interface EarlyStreamed {
  stream(early: EarlyStream): Duplex;
}

function connect(socket: Self, early: EarlyStream, connected: Connected): void {
  const { connection } = connected;
  const state = socket[STATE];
  const settings = state.connecting;
  state.connected = connected;
  state.socket = connection.socket;
  state.connecting = null;
  settings?.apply(socket);
  const streamed: EarlyStreamed = connection;
  streamed.stream(early);
  for (const event of ['connect', 'ready', 'secureConnect']) socket.emit(event);
}

function dressed(duplex: Duplex, state: State): Self {
  const socket = duplex as Self;
  // Another prototype would be tidier, and costs a tenth of all requests a second.
  Object.defineProperties(socket, descriptors);
  socket[STATE] = state;
  // After an upgrade, and in an agent's pool, nobody else may listen; an error would end the process then.
  socket.on('error', ignore);
  return socket;
}

/** The connection under a socket that `httpSocket` made; null for any other. */
export function connectionUnder(socket: object | null | undefined): SecureConnection | null {
  return (socket as Partial<Self> | null | undefined)?.[STATE]?.connected?.connection ?? null;
}

function ignore(): void {
  // The connection tells how it ended by `closed`.
}

const getters: { readonly [Name in keyof HttpSocket]?: (state: State) => HttpSocket[Name] } = {
  connection: ({ connected }) => connected?.connection ?? null,
  peer: ({ connected }) => connected?.connection.peer ?? null,
  encrypted: () => true,
  authorized: ({ connected }) => connected?.authorized ?? false,
  authorizationError: () => null,
  remoteAddress: (state) => remoteOf(state)?.address,
  remotePort: (state) => remoteOf(state)?.port,
  remoteFamily: (state) => {
    const remote = remoteOf(state);
    return remote === null ? undefined : isIPv6(remote.address) ? 'IPv6' : 'IPv4';
  },
  localAddress: ({ socket }) => socket?.localAddress,
  localPort: ({ socket }) => socket?.localPort,
  alpnProtocol: ({ connected }) => connected?.connection.tls.alpn ?? false,
  servername: ({ connected }) => connected?.connection.tls.servername ?? false,
  bytesRead: ({ socket }) => socket?.bytesRead ?? 0,
  bytesWritten: ({ socket }) => socket?.bytesWritten ?? 0,
  connecting: ({ connecting }) => connecting !== null,
  pending: ({ connecting }) => connecting !== null,
  timeout: ({ socket, connecting }) => (socket ?? connecting)?.timeout,
};

function remoteOf({ connected }: State): SecureConnection['remote'] {
  return connected?.connection.remote ?? null;
}

const methods: Partial<HttpSocket> & ThisType<Self> = {
  address() {
    return this[STATE].socket?.address() ?? {};
  },
  setTimeout(ms, listener) {
    const state = this[STATE];
    const { socket } = state;
    if (socket === null) state.connecting?.setTimeout(ms, () => this.emit('timeout'));
    else if (!state.timed) {
      state.timed = true;
      socket.on('timeout', () => this.emit('timeout'));
    }
    socket?.setTimeout(ms);
    if (listener !== undefined && ms === 0) this.off('timeout', listener);
    else if (listener !== undefined) this.once('timeout', listener);
    return this;
  },
  setNoDelay(on) {
    const { socket, connecting } = this[STATE];
    connecting?.later((connected) => connected.setNoDelay(on));
    socket?.setNoDelay(on);
    return this;
  },
  setKeepAlive(on, delay) {
    const { socket, connecting } = this[STATE];
    connecting?.later((connected) => connected.setKeepAlive(on, delay));
    socket?.setKeepAlive(on, delay);
    return this;
  },
  ref() {
    const { socket, connecting, connected } = this[STATE];
    connecting?.later((later) => later.ref());
    socket?.ref();
    connected?.use?.inUse();
    return this;
  },
  unref() {
    const { socket, connecting, connected } = this[STATE];
    connecting?.later((later) => later.unref());
    socket?.unref();
    connected?.use?.idle();
    return this;
  },
  destroySoon() {
    if (this.destroyed) return;
    if (!this.writableEnded) this.end();
    const taken = (): void => {
      const { socket } = this[STATE];
      if (socket === null || socket.writableFinished || socket.destroyed) this.destroy();
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
      const socket = this[STATE].socket as unknown as Record<string, (...given: unknown[]) => unknown> | null;
      return socket?.[name]?.(...args);
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
