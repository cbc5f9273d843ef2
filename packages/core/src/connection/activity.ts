/**
 * What the program is doing on a connection: its handler and its asynchronous listeners at work, and whether they wait
 * for nothing but the connection's end. Pure bookkeeping; `lifecycle.ts` decides what follows.
 *
 * A handler that read `closed` waits for the end, unless it has taken a message or was told of the end since: then it may
 * be about to answer. Reads within a call are known to be that call's; later ones count for the only work there is.
 */
export class Activity {
  /** How often the program read `closed`. */
  reads = 0;
  #handling = false;
  /** Made for the first of them: most connections have none. */
  #listeners: Set<Work> | null = null;
  /** `reads` when the program was last told of the end. */
  #readsWhenTold = 0;
  /** How many messages it had pulled when it last read `closed`. */
  #pulledWhenRead = 0;

  /** The program read `closed`. @param pulled how many messages it has pulled until now */
  read(pulled: number): void {
    this.reads += 1;
    this.#pulledWhenRead = pulled;
  }

  /** The program was told of the end. */
  told(): void {
    this.#readsWhenTold = this.reads;
  }

  /** Whether `closed` was read since, and nothing told to the program after that. */
  isWaitedForSince(reads: number): boolean {
    return this.reads > reads && this.reads > this.#readsWhenTold;
  }

  /** The connection's handler works on. */
  beginHandler(): void {
    this.#handling = true;
  }

  endHandler(): void {
    this.#handling = false;
  }

  /** @param pulled how many messages the program has pulled until now */
  handler(pulled: number): 'none' | 'running' | 'waiting-for-end' {
    if (!this.#handling) return 'none';
    const waits = this.reads > this.#readsWhenTold && pulled === this.#pulledWhenRead;
    return waits ? 'waiting-for-end' : 'running';
  }

  /** An asynchronous listener works on. @param readsBefore `reads` before it was called */
  beginListener(readsBefore: number): Work {
    const work = { waitsForEnd: this.reads !== readsBefore, readsBefore: this.reads };
    (this.#listeners ??= new Set<Work>()).add(work);
    return work;
  }

  endListener(work: Work): void {
    this.#listeners?.delete(work);
  }

  /** Listeners at work that don't just wait for the end. */
  get listeners(): number {
    if (this.#listeners === null) return 0;
    let working = 0;
    const alone = this.#listeners.size === 1;
    for (const { waitsForEnd, readsBefore } of this.#listeners)
      if (!waitsForEnd && !(alone && this.isWaitedForSince(readsBefore))) working += 1;
    return working;
  }
}

/** One asynchronous call of the program's. */
export interface Work {
  readonly waitsForEnd: boolean;
  readonly readsBefore: number;
}
