/**
 * What precedes TLS on a socket: the header of a trusted proxy, and what the ClientHello requests. Read from
 * the raw socket, bounded; everything after the header is put back, so that TLS sees its own beginning.
 */
import type { Socket } from 'node:net';
import { HandshakeError, ProtocolError } from '../errors/index.js';
import { ClientHelloReader, MAX_CLIENT_HELLO, type ClientHello } from './client-hello.js';
import { readProxyHeader, type ProxyInfo } from './proxy-header.js';

/**
 * Whether to read the ClientHello. `'required'`: one that can't be read for certain is refused; `'if readable'`: it is left
 * to OpenSSL, as an unread one.
 */
export type HelloReading = 'none' | 'if readable' | 'required';

/** What to read. */
interface Wanted {
  readonly proxy: boolean;
  readonly hello: HelloReading;
}

export interface Preface {
  /** The proxy's header; null where none was to be read. */
  readonly proxy: ProxyInfo | null;
  /** The name requested by SNI; null where none was, or where it was not read. */
  readonly servername: string | null;
  /** Whether an ACME server says the ClientHello, to validate the name by tls-alpn-01; false where it was not read. */
  readonly isValidation: boolean;
}

interface PrefaceEvents {
  /** The proxy's header, of the given length, was read; false refuses the connection. */
  proxied(info: ProxyInfo, length: number): boolean;
  done(preface: Preface): void;
  /** @param alert the TLS alert to send, if any */
  failed(error: Error, alert: number | null): void;
}

/** Far above any header and ClientHello together. */
const MOST_BYTES = MAX_CLIENT_HELLO + 8_192;

/** Reads what must be known before TLS. Nothing is called after the socket has closed. */
export function readPreface(socket: Socket, wanted: Wanted, events: PrefaceEvents): void {
  const reading = new PrefaceReading(wanted, events);
  const stop = (): void => {
    socket.off('data', read);
    socket.off('end', ended);
    // Without the pause, what is put back would be emitted before TLS listens.
    socket.pause();
  };
  const read = (chunk: Buffer): void => {
    let preface: Preface | 'more' | 'refused';
    try {
      preface = reading.push(chunk);
    } catch (error) {
      stop();
      events.failed(error as Error, error instanceof RefusedHello ? error.alert : null);
      return;
    }
    if (preface === 'more') return;
    stop();
    if (preface === 'refused') return;
    if (reading.behind.length > 0) socket.unshift(reading.behind);
    events.done(preface);
  };
  const ended = (): void => {
    stop();
    events.failed(reading.endedEarly(), null);
  };
  socket.on('data', read);
  socket.on('end', ended);
  // What spoke before TLS left it paused.
  socket.resume();
}

/** The header first, where one is required, then the ClientHello. */
class PrefaceReading {
  readonly #wanted: Wanted;
  readonly #events: PrefaceEvents;
  readonly #hello = new ClientHelloReader();
  #proxy: ProxyInfo | null = null;
  /** The beginning of a header. */
  #header: Buffer = Buffer.alloc(0);
  /** What TLS must see; joined once, at the end. */
  #parts: Buffer[] = [];
  #length = 0;

  constructor(wanted: Wanted, events: PrefaceEvents) {
    this.#wanted = wanted;
    this.#events = events;
  }

  /** What was read after the header. */
  get behind(): Buffer {
    return Buffer.concat(this.#parts);
  }

  /** @throws ProtocolError where the header is invalid, HandshakeError where the name can't be read unambiguously */
  push(chunk: Buffer): Preface | 'more' | 'refused' {
    if (!this.#wanted.proxy || this.#proxy !== null) return this.#readHello(chunk);
    this.#header = this.#header.length === 0 ? chunk : Buffer.concat([this.#header, chunk]);
    const header = readProxyHeader(this.#header);
    if (header === null) return 'more';
    this.#proxy = header.info;
    if (!this.#events.proxied(header.info, header.length)) return 'refused';
    return this.#readHello(this.#header.subarray(header.length));
  }

  #readHello(chunk: Buffer): Preface | 'more' {
    if (chunk.length > 0) this.#parts.push(chunk);
    this.#length += chunk.length;
    if (this.#wanted.hello === 'none') return this.#unread();
    const hello = this.#bounded(this.#hello.push(chunk));
    switch (hello.status) {
      case 'incomplete':
        return 'more';
      case 'refused':
        if (this.#wanted.hello === 'required') throw new RefusedHello(hello);
        return this.#unread();
      case 'other':
        return this.#unread();
      case 'complete':
        return { proxy: this.#proxy, servername: hello.servername, isValidation: hello.isValidation };
    }
  }

  #unread(): Preface {
    return { proxy: this.#proxy, servername: null, isValidation: false };
  }

  /** What the peer's end before the last wanted byte means. */
  endedEarly(): Error {
    const inHello = this.#wanted.hello === 'if readable' && (!this.#wanted.proxy || this.#proxy !== null);
    // As where OpenSSL reads the ClientHello.
    return inHello
      ? new HandshakeError('disconnected', 'the client ended the connection during the TLS handshake')
      : new ProtocolError('the peer ended before TLS began');
  }

  #bounded(hello: ClientHello): ClientHello {
    if (hello.status !== 'incomplete' || this.#length <= MOST_BYTES) return hello;
    return { status: 'refused', alert: DECODE_ERROR, why: `records of over ${MOST_BYTES} bytes` };
  }
}

class RefusedHello extends HandshakeError {
  readonly alert: number;

  constructor({ why, alert }: { why: string; alert: number }) {
    super('client-hello', `the ClientHello can't be read for certain: it has ${why}`);
    this.alert = alert;
  }
}

/** RFC 6066 3, RFC 8446 6.2. */
export const UNRECOGNIZED_NAME = 112;
const DECODE_ERROR = 50;

/** Ends a socket before TLS begins, by a fatal alert. */
export function endWithAlert(socket: Socket, alert: number): void {
  socket.end(Buffer.from([21, 3, 1, 0, 2, 2, alert]), () => socket.destroy());
}
