import type { Clock } from '../clock.js';

/** Waits until nothing is left. */
export class Emptying {
  #done: (() => void) | undefined;

  /** Nothing is left now. */
  reached(): void {
    this.#done?.();
  }

  /** Resolves when `reached` is called, or the deadline has come; milliseconds. The process stays alive for it. */
  wait(clock: Clock, deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.after(deadline, resolve);
      timer.keepAlive(true);
      this.#done = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
