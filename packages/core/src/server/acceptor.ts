/**
 * The listening socket. When the process is out of descriptors, new connections are closed until some are free again:
 * no crash, no busy loop, and established connections are unaffected.
 */
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import { fromListen } from '../errors/from-node.js';
import type { HostConfig } from './config.js';
import { holderOf } from './path-holder.js';
import { noteListening } from './listening-here.js';
import type { ServerAddress } from './secure-server.js';
import { SpareDescriptor } from './spare-descriptor.js';

export class Acceptor {
  readonly #place: HostConfig['place'];
  readonly #listener: NetServer;
  readonly #spare = new SpareDescriptor();
  #address: ServerAddress = { path: '' };
  #errors = 0;

  /** @param accepted called with each socket, and whether further descriptors are left */
  constructor(place: HostConfig['place'], accepted: (socket: Socket, descriptorsLeft: boolean) => void) {
    this.#place = place;
    this.#listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
      accepted(socket, this.#spare.isEnough());
    });
  }

  /** How often accepting failed, such as for lack of descriptors. */
  get errors(): number {
    return this.#errors + this.#spare.shortages;
  }

  /** @throws PortInUseError, ConnectionError */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        const place = this.#place;
        if (!('path' in place) || error.code !== 'EADDRINUSE') {
          reject(fromListen(error, place));
          return;
        }
        void holderOf(place.path).then((holder) => {
          reject(fromListen(error, place, holder));
        });
      };
      this.#listener.once('error', failed);
      this.#listener.listen({ ...this.#place }, () => {
        this.#listener.off('error', failed);
        this.#address = this.#bound();
        resolve();
      });
    });
    this.#listener.once('close', noteListening(this.address));
    this.#spare.start();
    // Listening continues.
    this.#listener.on('error', () => (this.#errors += 1));
  }

  /** Where it listens or, once it is closed, where it listened. */
  get address(): ServerAddress {
    return this.#address;
  }

  /** Stops accepting; resolves when the last socket is gone. */
  close(): Promise<void> {
    this.#spare.stop();
    return new Promise((resolve) => {
      this.#listener.close(() => {
        resolve();
      });
    });
  }

  #bound(): ServerAddress {
    const address = this.#listener.address() as AddressInfo | string;
    return typeof address === 'string' ? { path: address } : address;
  }
}
