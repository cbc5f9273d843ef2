/**
 * One connection's share of a turn of the event loop. Node hands a connection up to 2 MiB before it looks at the next
 * one, which at some messages per microsecond is tens of milliseconds: whoever floods would keep the others waiting.
 */

/** After this many milliseconds of work for one connection the others have their turn. */
const SHARE_MS = 0.25;
/** Chunks of one turn follow each other at once; a longer pause means that the event loop has gone round. */
const PAUSE_MS = 0.05;

export class FairShare {
  #since = 0;
  #until = 0;
  #spent = 0;

  /** Work for the connection begins. */
  begin(): void {
    this.#since = performance.now();
    if (this.#since - this.#until > PAUSE_MS) this.#spent = 0;
  }

  /** Work for the connection is done. @returns whether it should let others go first now */
  end(): boolean {
    this.#until = performance.now();
    this.#spent += this.#until - this.#since;
    if (this.#spent <= SHARE_MS) return false;
    this.#spent = 0;
    return true;
  }
}
