/** Requests over kept connections, one at a time on each. */
import { once } from 'node:events';
import tls, { type TLSSocket } from 'node:tls';
import type { Certificates } from '../certificates.js';
import { clientContext, clientOptions } from '../tls-setup.js';
import type { Done } from './done.js';

const CONNECTIONS = 16;
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
const LAST = 'hello world';

export class Browsers {
  readonly #sockets: readonly TLSSocket[];

  private constructor(sockets: readonly TLSSocket[]) {
    this.#sockets = sockets;
  }

  static async connect({ files, port }: { files: Certificates; port: number }): Promise<Browsers> {
    const secureContext = tls.createSecureContext(clientContext(files, false));
    const open = async (): Promise<TLSSocket> => {
      const socket = tls.connect({ ...clientOptions(port), secureContext });
      await once(socket, 'secureConnect');
      return socket.setEncoding('latin1');
    };
    return new Browsers(await Promise.all(Array.from({ length: CONNECTIONS }, open)));
  }

  async run(ms: number): Promise<Done> {
    const started = performance.now();
    const counts = await Promise.all(this.#sockets.map((socket) => askFor(socket, started + ms)));
    const operations = counts.reduce((sum, count) => sum + count, 0);
    return { operations, wallMs: performance.now() - started };
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function askFor(socket: TLSSocket, end: number): Promise<number> {
  let answered = 0;
  let received = '';
  return new Promise((resolve) => {
    socket.removeAllListeners('data');
    socket.on('data', (text: string) => {
      received += text;
      if (!received.endsWith(LAST)) return;
      received = '';
      answered += 1;
      if (performance.now() < end) socket.write(REQUEST);
      else resolve(answered);
    });
    socket.write(REQUEST);
  });
}
