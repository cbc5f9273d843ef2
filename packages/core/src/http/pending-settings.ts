/** What was asked of a client's socket that has no connection yet. */
import { LONGEST_WAIT } from '../options/index.js';

interface Timed {
  setTimeout(ms: number): unknown;
}

export class PendingSettings<Socket extends Timed> {
  /** Milliseconds from when it was set; undefined: never. */
  timeout: number | undefined;
  readonly #later: ((socket: Socket) => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  later(act: (socket: Socket) => void): void {
    this.#later.push(act);
  }

  setTimeout(ms: number, expired: () => void): void {
    clearTimeout(this.#timer);
    this.timeout = ms;
    if (ms > 0) this.#timer = setTimeout(expired, Math.min(ms, LONGEST_WAIT)).unref();
  }

  /** No connection comes any more. */
  drop(): void {
    clearTimeout(this.#timer);
  }

  /** The socket has its connection. */
  apply(socket: Socket): void {
    this.drop();
    if (this.timeout !== undefined) socket.setTimeout(this.timeout);
    for (const act of this.#later) act(socket);
  }
}
