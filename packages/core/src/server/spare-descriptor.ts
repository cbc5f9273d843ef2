/**
 * A descriptor held back for the day when there is no other. When the system has none left, libuv drops new connections
 * silently, or spins where it can't even do that; with this one released they can be accepted and closed.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** How often to look, beside each accept: descriptors may run out by other ways than sockets. */
const LOOK_EVERY_MS = 1_000;

export class SpareDescriptor {
  /** How often descriptors ran out. */
  shortages = 0;
  #held: number | null = null;
  #short = false;
  #timer: NodeJS.Timeout | undefined;

  start(): void {
    this.#held = open();
    this.#timer = setInterval(() => this.isEnough(), LOOK_EVERY_MS).unref();
  }

  /** Whether descriptors are left beside the spare; where none is, the spare is given up until there are. */
  isEnough(): boolean {
    this.#held ??= open();
    const another = this.#held === null ? null : open();
    if (another !== null) {
      closeSync(another);
      this.#short = false;
      return true;
    }
    this.#giveUp();
    if (!this.#short) this.shortages += 1;
    this.#short = true;
    return false;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#giveUp();
  }

  #giveUp(): void {
    if (this.#held !== null) closeSync(this.#held);
    this.#held = null;
  }
}

/** Null where there is none left. */
function open(): number | null {
  try {
    return openSync(devNull, 'r');
  } catch {
    return null;
  }
}
