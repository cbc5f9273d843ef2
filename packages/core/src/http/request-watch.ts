/**
 * What goes on on one server-side connection: which requests are under way, and how it ends when it is to end: idle at
 * once, otherwise with the last response, which says `Connection: close` where it still can.
 */
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { HttpSocket } from './http-socket.js';

export class RequestWatch {
  readonly #socket: HttpSocket;
  readonly #responses = new Set<ServerResponse>();
  #draining = false;
  /** An upgrade or a tunnel took the socket away from HTTP: its end is the program's. */
  #taken = false;
  #bytesWhenIdle = 0;

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

  drain(): void {
    this.#draining = true;
    if (this.#taken) return;
    for (const response of this.#responses) sayClose(response);
    this.#endIfIdle();
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
    if (this.#draining) this.#socket.destroySoon();
    else this.#bytesWhenIdle = this.#socket.bytesRead;
  }

  /** A request of which a part has come is under way too: it is answered, or its deadline ends it. */
  #endIfIdle(): void {
    if (this.#responses.size === 0 && this.#socket.bytesRead === this.#bytesWhenIdle)
      this.#socket.destroySoon();
  }
}

const statusOf: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function sayClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
}
