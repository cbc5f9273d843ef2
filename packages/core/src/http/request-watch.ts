/**
 * What goes on on one server-side connection: which requests are under way, and how it ends when it is to end: with the
 * next response, which says `Connection: close`, since the next request may be on its way; idle for some time, without.
 */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { HttpSocket } from './http-socket.js';

/** How long a connection that is to end waits for another request. Milliseconds. */
export interface Patience {
  /** After the last response, or the beginning of the connection. */
  readonly afterLast: number;
  /** In all. */
  readonly most: number;
}

export class RequestWatch {
  readonly #socket: HttpSocket;
  readonly #responses = new Set<ServerResponse>();
  #draining = false;
  /** An upgrade or a tunnel took the socket away from HTTP: its end is the program's. */
  #taken = false;
  #bytesWhenIdle = 0;
  #idleSince = performance.now();
  #idleEnd: NodeJS.Timeout | undefined;
  #afterLast = Number.POSITIVE_INFINITY;
  #latest = Number.POSITIVE_INFINITY;

  constructor(socket: HttpSocket) {
    this.#socket = socket;
  }

  began(response: ServerResponse): void {
    if (this.#responses.has(response)) return;
    this.#responses.add(response);
    if (this.#draining) sayClose(response);
    response.on('close', () => {
      this.#finished(response);
    });
  }

  taken(): void {
    this.#taken = true;
  }

  /** May be called again: the earlier end of an idle connection counts. */
  drain({ afterLast, most }: Patience): void {
    this.#draining = true;
    if (this.#taken) return;
    for (const response of this.#responses) sayClose(response);
    this.#afterLast = Math.min(this.#afterLast, afterLast);
    this.#latest = Math.min(this.#latest, performance.now() + most);
    this.#awaitNext();
  }

  #awaitNext(): void {
    const now = performance.now();
    const at = Math.min(this.#idleSince + this.#afterLast, this.#latest);
    clearTimeout(this.#idleEnd);
    if (at <= now) this.#endIfIdle();
    // The socket itself holds the process.
    else this.#idleEnd = setTimeout(this.#endIfIdle, at - now).unref();
  }

  /** The client broke HTTP or a deadline: it receives a status where no answer has begun, and the connection ends. */
  failed({ code }: NodeJS.ErrnoException): void {
    const begun = [...this.#responses].some(({ headersSent }) => headersSent);
    if (begun || !this.#socket.writable || code === 'ECONNRESET' || code === 'EPIPE') {
      this.#socket.destroy();
      return;
    }
    const status = statusOf[code ?? ''] ?? 400;
    this.#socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n\r\n`);
    this.#socket.destroySoon();
  }

  /** An answer may come before all of its request, the rest of which Node reads away. */
  #finished(response: ServerResponse): void {
    const { req: request } = response;
    if (request.complete || request.destroyed) this.#answered(response);
    else
      request.once('close', () => {
        this.#answered(response);
      });
  }

  #answered(response: ServerResponse): void {
    this.#responses.delete(response);
    if (this.#responses.size > 0 || this.#taken) return;
    if (this.#draining && response.getHeader('connection') === 'close') {
      this.#socket.destroySoon();
      return;
    }
    this.#bytesWhenIdle = this.#socket.bytesRead;
    this.#idleSince = performance.now();
    // Its headers were sent before: the client may have answered them by its next request.
    if (this.#draining) this.#awaitNext();
  }

  /** A request of which a part has come is under way too: it is answered, or its deadline ends it. */
  readonly #endIfIdle = (): void => {
    if (this.#taken || this.#responses.size > 0) return;
    if (this.#socket.bytesRead === this.#bytesWhenIdle) this.#socket.destroySoon();
  };
}

const statusOf: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function sayClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
