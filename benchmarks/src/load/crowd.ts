/** Many clients that say nothing. */
import { once } from 'node:events';
import tls, { type TLSSocket } from 'node:tls';
import type { Certificates } from '../certificates.js';
import { clientContext, clientOptions } from '../tls-setup.js';
import { KNSOCK_ALPN, usesKnsock, welcome, type WireFraming } from '../wire.js';

export interface CrowdOptions {
  readonly files: Certificates;
  readonly port: number;
  readonly framing: WireFraming;
  readonly count: number;
}

const AT_ONCE = 16;

export class Crowd {
  readonly #members: TLSSocket[] = [];

  async join({ files, port, framing, count }: CrowdOptions): Promise<void> {
    const secureContext = tls.createSecureContext(clientContext(files, false));
    const protocols = usesKnsock(framing) ? { ALPNProtocols: [KNSOCK_ALPN] } : {};
    let left = count;
    const usher = async (): Promise<void> => {
      while (left-- > 0) {
        const socket = tls.connect({ ...clientOptions(port), ...protocols, secureContext });
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

  leave(): void {
    for (const socket of this.#members.splice(0)) socket.destroy();
  }
}
