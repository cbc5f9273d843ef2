/**
 * What comes before TLS on a socket: the header of a trusted proxy, and the name that the client asks for. Read from
 * the raw socket, bounded; everything behind the header is put back, so that TLS sees its own beginning.
 */
import type { Socket } from 'node:net';
import { ProtocolError } from '../errors/index.js';
import { MAX_CLIENT_HELLO, readClientHello } from './client-hello.js';
import { readProxyHeader, type ProxyInfo } from './proxy-header.js';

interface Preface {
  /** What the proxy said; null where no header was to be read. */
  readonly proxy: ProxyInfo | null;
  /** The name asked for by SNI; null where none was, or where it was not to be read. */
  readonly servername: string | null;
}

interface PrefaceEvents {
  /** The proxy's header was read; false turns the connection away. */
  proxied(info: ProxyInfo): boolean;
  done(preface: Preface): void;
  failed(error: Error): void;
}

/** Far above any header and ClientHello together. */
const MOST_BYTES = MAX_CLIENT_HELLO + 8_192;

/** Reads what must be known first. Nothing is called after the socket has closed. */
export function readPreface(
  socket: Socket,
  wanted: { proxy: boolean; name: boolean },
  events: PrefaceEvents,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  let proxy: ProxyInfo | null = null;
  const stop = (): void => {
    socket.off('data', read);
    socket.off('end', ended);
    // Without the pause, what is put back would flow on before TLS listens.
    socket.pause();
  };
  const finish = (servername: string | null): void => {
    stop();
    if (bytes.length > 0) socket.unshift(bytes);
    events.done({ proxy, servername });
  };
  const read = (chunk: Buffer): void => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    try {
      if (wanted.proxy && proxy === null) {
        const header = readProxyHeader(bytes);
        if (header === null) return;
        proxy = header.info;
        bytes = bytes.subarray(header.length);
        if (!events.proxied(proxy)) {
          stop();
          return;
        }
      }
    } catch (error) {
      stop();
      events.failed(error as Error);
      return;
    }
    if (!wanted.name) {
      finish(null);
      return;
    }
    const hello = readClientHello(bytes);
    if (hello.status === 'complete') finish(hello.servername);
    else if (hello.status === 'other' || bytes.length > MOST_BYTES) finish(null);
  };
  const ended = (): void => {
    stop();
    events.failed(new ProtocolError('the peer ended before TLS began'));
  };
  socket.on('data', read);
  socket.on('end', ended);
}

/** unrecognized_name, fatal (RFC 6066 3): what Node can't be made to send, sent before TLS begins. */
const UNRECOGNIZED_NAME = Buffer.from([21, 3, 1, 0, 2, 2, 112]);

/** Ends a socket whose client asked for a name that nobody here has. */
export function refuseName(socket: Socket): void {
  socket.end(UNRECOGNIZED_NAME, () => socket.destroy());
}
