import type { Clock } from '../clock.js';

/** Waits until the pool is empty. */
export class Emptying {
  #done: (() => void) | undefined;

  /** Reports that it is empty. */
  reached(): void {
    this.#done?.();
  }

  /** Resolves when `reached` is called, or after the deadline; milliseconds. It keeps the process alive. */
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
