/**
 * A descriptor held in reserve for when no other is free. When the system has none left, libuv drops new connections
 * silently, or busy-loops where it can't even do that; with this one released they can be accepted and closed.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';

/** How often to check, beside each accept: not only sockets use up descriptors. */
const LOOK_EVERY_MS = 1_000;

/** Where descriptors come from; `open` returns null where none is left. */
export interface Descriptors {
  open(): number | null;
  close(descriptor: number): void;
}

export class SpareDescriptor {
  /** How often descriptors ran out. */
  shortages = 0;
  readonly #descriptors: Descriptors;
  #held: number | null = null;
  #short = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(descriptors: Descriptors = ofTheProcess) {
    this.#descriptors = descriptors;
  }

  start(): void {
    this.#held = this.#descriptors.open();
    this.#timer = setInterval(() => this.isEnough(), LOOK_EVERY_MS).unref();
  }

  /** Whether descriptors are left beside the spare; where none is, the spare is released until some are free. */
  isEnough(): boolean {
    this.#held ??= this.#descriptors.open();
    const another = this.#held === null ? null : this.#descriptors.open();
    if (another !== null) {
      this.#descriptors.close(another);
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
    if (this.#held !== null) this.#descriptors.close(this.#held);
    this.#held = null;
  }
}

const ofTheProcess: Descriptors = {
  open: () => {
    try {
      return openSync(devNull, 'r');
    } catch {
      return null;
    }
  },
  close: closeSync,
};
