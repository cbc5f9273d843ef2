/**
 * Shares a turn of the event loop among connections. Node hands one connection up to 32 reads before it looks at the
 * next one, which at some messages per microsecond is tens of milliseconds: whoever floods would keep the others waiting.
 */

/** After this many milliseconds of work for one connection the others have their turn. */
export const SHARE_MS = 0.05;

let open = 0;
let worker: object | null = null;
let spent = 0;
let watching = false;

/** A connection opens; alone, it makes way for nobody. */
export function joinOthers(): void {
  open += 1;
}

export function leaveOthers(): void {
  open -= 1;
}

/** Whether there is nobody to make way for. */
export function isAlone(): boolean {
  return open <= 1;
}

/** Counts work for a connection. @returns whether it should let others go first now */
export function spend(who: object, milliseconds: number): boolean {
  if (worker !== who) {
    worker = who;
    spent = 0;
  }
  spent += milliseconds;
  if (spent <= SHARE_MS / 2) return false;
  // Most turns make less work than half a share, and then nobody asks whether the event loop has gone round.
  if (!watching) {
    watching = true;
    setImmediate(startAnew);
  }
  return spent > SHARE_MS;
}

/** The event loop has gone round: others had their turn. */
function startAnew(): void {
  watching = false;
  worker = null;
}
