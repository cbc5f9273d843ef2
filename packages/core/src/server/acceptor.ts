/**
 * The listening socket. When the process is out of descriptors or memory, accepting pauses and comes back by itself:
 * no crash, no spinning.
 */
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { fromListen } from '../errors/from-node.js';
import type { HostConfig } from './config.js';
import { noteListening } from './listening-here.js';
import type { ServerAddress } from './secure-server.js';

export class Acceptor {
  readonly #place: HostConfig['place'];
  readonly #listener: NetServer;
  /** Errors of accepting so far. */
  errors = 0;

  constructor(place: HostConfig['place'], accepted: (socket: Socket) => void) {
    this.#place = place;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, accepted);
  }

  /** @throws PortInUseError, ConnectionError */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void => {
        reject(fromListen(error, this.#place));
      };
      this.#listener.once('error', failed);
      this.#listener.listen({ ...this.#place }, () => {
        this.#listener.off('error', failed);
        resolve();
      });
    });
    this.#listener.once('close', noteListening(this.address));
    this.#listener.on('error', () => {
      // libuv answers EMFILE by accepting and closing what waits, so the backlog doesn't spin; listening goes on.
      this.errors += 1;
    });
  }

  get address(): ServerAddress {
    const address = this.#listener.address();
    if (typeof address === 'object' && address !== null) return address;
    return { path: address ?? ('path' in this.#place ? this.#place.path : '') };
  }

  /** Stops accepting; resolves when the last socket is gone. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#listener.close(() => {
        resolve();
      });
    });
  }
}
