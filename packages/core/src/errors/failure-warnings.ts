/**
 * Process warnings for failures that no `onError` takes: one a kind and minute, for the whole process. Failures of the
 * same kind within that minute are counted, and told with one further warning at its end.
 */
import { printable, printableLines } from './printable.js';

/** A failure as a warning shows it. */
export interface Warnable {
  /** What failed, as the beginning of a sentence: `a request handler`. */
  readonly what: string;
  readonly error: Error;
  /** On which connection, or empty. */
  readonly where: string;
  /** What to do about it, as the end of the message, or empty. */
  readonly advice: string;
}

interface Kind {
  readonly since: number;
  suppressed: number;
  last: Warnable;
  timer: NodeJS.Timeout | null;
}

type Emit = (message: string, options: { type: string; code: string; detail: string }) => void;

const MINUTE = 60_000;
/** A program may throw errors of any number of kinds. */
const MAX_KINDS = 64;
const LONGEST_TITLE = 1_000;
const LONGEST_DETAIL = 4_000;

export class FailureWarnings {
  readonly #kinds = new Map<string, Kind>();
  readonly #emit: Emit;

  constructor(emit: Emit = emitWarning) {
    this.#emit = emit;
  }

  warn(failure: Warnable): void {
    const now = performance.now();
    const name = this.#nameOf(failure, now);
    const kind = this.#kinds.get(name);
    if (kind === undefined || now - kind.since >= MINUTE) {
      clearTimeout(kind?.timer ?? undefined);
      this.#show(name, failure, kind?.suppressed ?? 0);
      return;
    }
    kind.suppressed += 1;
    kind.last = failure;
    kind.timer ??= setTimeout(
      () => {
        this.#show(name, kind.last, kind.suppressed - 1);
      },
      MINUTE - (now - kind.since),
    ).unref();
  }

  #show(name: string, failure: Warnable, suppressed: number): void {
    const { what, error, where, advice } = failure;
    const more = suppressed === 0 ? '' : `; ${suppressed} more of this kind in the last minute`;
    const message = `${what} failed${where}: ${printable(titleOf(error)).slice(0, LONGEST_TITLE)}${more}${advice}`;
    const detail = printableLines(error.stack ?? '').slice(0, LONGEST_DETAIL);
    this.#kinds.set(name, { since: performance.now(), suppressed: 0, last: failure, timer: null });
    this.#emit(message, { type: 'KnsockWarning', code: 'KNSOCK_UNHANDLED_FAILURE', detail });
  }

  #nameOf({ what, error }: Warnable, now: number): string {
    const name = `${what} ${codeOf(error)}`;
    if (this.#kinds.has(name) || this.#kinds.size < MAX_KINDS) return name;
    for (const [other, kind] of this.#kinds) {
      if (kind.timer === null && now - kind.since >= MINUTE) this.#kinds.delete(other);
    }
    return this.#kinds.size < MAX_KINDS ? name : 'others';
  }
}

/** Those of this process. */
export const failureWarnings = new FailureWarnings();

function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

function titleOf(error: Error): string {
  const code = codeOf(error);
  return code === error.name ? `${error.name}: ${error.message}` : `${code}: ${error.message}`;
}

function emitWarning(message: string, options: { type: string; code: string; detail: string }): void {
  process.emitWarning(message, options);
}
