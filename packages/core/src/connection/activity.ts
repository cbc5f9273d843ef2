/**
 * What the program is doing on a connection: its running handler and asynchronous listeners, and whether they wait
 * only for the connection's end. Pure bookkeeping; `lifecycle.ts` decides what follows.
 *
 * A handler that read `closed`, or began to wait for what it had read, waits for the end, unless it has since taken a message or been notified of the end: then it
 * may be about to answer. A read within a call belongs to that call; a later one counts only where a single call runs.
 */
export class Activity {
  /** How often the program read `closed`, or began to wait for it. */
  reads = 0;
  #handling = false;
  /** Created for the first of them: most connections have none. */
  #listeners: Set<Work> | null = null;
  /** `reads` when the program was last notified of the end. */
  #readsWhenTold = 0;
  /** How many messages it had pulled when it last read `closed`. */
  #pulledWhenRead = 0;

  /** The program read `closed`, or waits for what it read before. @param pulled how many messages it has pulled until now */
  read(pulled: number): void {
    this.reads += 1;
    this.#pulledWhenRead = pulled;
  }

  /** The program was notified of the end. */
  told(): void {
    this.#readsWhenTold = this.reads;
  }

  /** Whether `closed` was read since, and the program received nothing after that. */
  isWaitedForSince(reads: number): boolean {
    return this.reads > reads && this.reads > this.#readsWhenTold;
  }

  /** The connection's handler is still running. */
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

  /** An asynchronous listener is still running. @param readsBefore `reads` before it was called */
  beginListener(readsBefore: number): Work {
    const work = { waitsForEnd: this.reads !== readsBefore, readsBefore: this.reads };
    (this.#listeners ??= new Set<Work>()).add(work);
    return work;
  }

  endListener(work: Work): void {
    this.#listeners?.delete(work);
  }

  /** Running listeners that wait for more than the end. */
  get listeners(): number {
    if (this.#listeners === null) return 0;
    let working = 0;
    const alone = this.#listeners.size === 1;
    for (const { waitsForEnd, readsBefore } of this.#listeners)
      if (!waitsForEnd && !(alone && this.isWaitedForSince(readsBefore))) working += 1;
    return working;
  }
}

/** One asynchronous call into the program. */
export interface Work {
  readonly waitsForEnd: boolean;
  readonly readsBefore: number;
}
