/** Many clients that say nothing, or each a message a second. */
import { once } from 'node:events';
import tls, { type TLSSocket } from 'node:tls';
import type { Certificates } from '../certificates.js';
import { clientContext, clientOptions } from '../tls-setup.js';
import { frameOf, KNSOCK_ALPN, usesKnsock, welcome, type WireFraming } from '../wire.js';

export interface CrowdOptions {
  readonly files: Certificates;
  readonly port: number;
  readonly framing: WireFraming;
  readonly count: number;
}

const AT_ONCE = 16;
/** A source address has some 28,000 ports: the next ones come from the next address of the loopback network. */
const PER_ADDRESS = 10_000;
const FIRST_ADDRESS = 1;
/** How many times a second a part of them sends. */
const PARTS = 50;

export class Crowd {
  readonly #members: TLSSocket[] = [];
  #murmuring: NodeJS.Timeout | undefined;

  async join({ files, port, framing, count }: CrowdOptions): Promise<void> {
    const secureContext = tls.createSecureContext(clientContext(files, false));
    const protocols = usesKnsock(framing) ? { ALPNProtocols: [KNSOCK_ALPN] } : {};
    let left = count;
    const usher = async (): Promise<void> => {
      while (left-- > 0) {
        const localAddress = `127.0.0.${FIRST_ADDRESS + Math.floor(this.#members.length / PER_ADDRESS)}`;
        const options = { ...clientOptions(port), ...protocols, secureContext, localAddress };
        const socket = tls.connect(options);
        this.#members.push(socket);
        await once(socket, 'secureConnect');
        if (usesKnsock(framing)) socket.write(welcome());
        // Its own errors would only say that the run is over.
        socket.on('error', () => undefined);
        socket.resume();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, usher));
  }

  /** Has each say a message a second, evenly spread. */
  murmur(framing: WireFraming): void {
    const frame = frameOf(framing, Buffer.alloc(32, 'x'));
    let part = 0;
    this.#murmuring = setInterval(() => {
      for (let n = part; n < this.#members.length; n += PARTS) this.#members[n]?.write(frame);
      part = (part + 1) % PARTS;
    }, 1_000 / PARTS);
  }

  hush(): void {
    clearInterval(this.#murmuring);
  }

  leave(): void {
    this.hush();
    for (const socket of this.#members.splice(0)) socket.destroy();
  }
}
