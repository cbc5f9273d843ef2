/** A client that sends as fast as the other side takes it, and reads what comes back. */
import { frameOf } from '../wire.js';
import type { Link } from './link.js';

const BATCH_BYTES = 262_144;

export class Flood {
  readonly #link: Link;
  readonly #batch: Buffer;
  #running = true;

  constructor(link: Link, size: number) {
    this.#link = link;
    const frame = frameOf(link.framing, Buffer.alloc(size, 'x'));
    this.#batch = Buffer.concat(Array.from({ length: Math.ceil(BATCH_BYTES / frame.length) }, () => frame));
    this.#pump();
  }

  stop(): void {
    this.#running = false;
    this.#link.socket.destroy();
  }

  #pump(): void {
    if (!this.#running) return;
    while (this.#link.socket.write(this.#batch));
    this.#link.socket.once('drain', () => {
      this.#pump();
    });
  }
}
