/**
 * One connection's share of a turn of the event loop. Node hands a connection up to 2 MiB before it looks at the next
 * one, which at some messages per microsecond is tens of milliseconds: whoever floods would keep the others waiting.
 */

/** After this many milliseconds of work for one connection the others have their turn. */
const SHARE_MS = 0.25;

export class FairShare {
  #since = 0;
  #spent = 0;
  #watching = false;

  /** Work for the connection begins. */
  begin(): void {
    this.#since = performance.now();
  }

  /** Work for the connection is done. @returns whether it should let others go first now */
  end(): boolean {
    this.#spent += performance.now() - this.#since;
    if (this.#spent > SHARE_MS) {
      this.#spent = 0;
      return true;
    }
    // Most turns make less work than half a share, and then nobody asks whether the event loop has gone round.
    if (this.#spent > SHARE_MS / 2 && !this.#watching) {
      this.#watching = true;
      setImmediate(startAnew, this);
    }
    return false;
  }

  /** The event loop has gone round: others had their turn. */
  startAnew(): void {
    this.#watching = false;
    this.#spent = 0;
  }
}

function startAnew(share: FairShare): void {
  share.startAnew();
}
