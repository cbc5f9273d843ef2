/**
 * Shares a turn of the event loop among connections. Node gives one connection up to 32 reads before it turns to the
 * next one, which at some messages per microsecond is tens of milliseconds: a flooding peer would keep the others waiting.
 */

/** After this many milliseconds of work for one connection the others have their turn. */
const SHARE_MS = 0.05;

/** The least number of bytes passed on at once, regardless of the time it takes. */
export const SMALLEST_PIECE = 1_024;
const LARGEST_PIECE = 1_048_576;

let open = 0;
let worker: object | null = null;
let spent = 0;
let watching = false;

/** A connection opens; a single one never yields. */
export function joinOthers(): void {
  open += 1;
}

export function leaveOthers(): void {
  open -= 1;
}

/** Whether there is no other connection to yield to. */
export function isAlone(): boolean {
  return open <= 1;
}

/**
 * Counts work for a connection: a small chunk by itself is no flood, however long the program's work on it takes.
 * @returns whether it should yield to others now
 */
export function spend(who: object, milliseconds: number, isSmall: boolean): boolean {
  const isFirst = worker !== who;
  if (isFirst) {
    worker = who;
    spent = 0;
  }
  spent += milliseconds;
  if (spent <= SHARE_MS / 2) return false;
  // Most turns take less work than half a share; then there is no need to know when the turn ends.
  if (!watching) {
    watching = true;
    setImmediate(startAnew);
  }
  return spent > SHARE_MS && !(isFirst && isSmall);
}

/** How many bytes take one share of a turn. @param milliseconds what that many `bytes` took */
export function paceOf(bytes: number, milliseconds: number): number {
  const pace = Math.ceil((bytes * SHARE_MS) / milliseconds);
  return Math.min(LARGEST_PIECE, Math.max(SMALLEST_PIECE, pace));
}

/** A new turn of the event loop has begun: others had their turn. */
function startAnew(): void {
  watching = false;
  worker = null;
}
