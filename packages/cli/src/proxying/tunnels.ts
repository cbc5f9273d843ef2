/** The connections that a proxy carries: counted, told of, and waited for at the end. */
import { describeFailure } from '../failure.js';
import type { ServeLog } from '../serving/serve-log.js';

/** One connection passed on. */
export interface Tunnel {
  readonly id: number;
  /** Who came, and as whom. */
  readonly from: string;
  readonly subject: string | null;
}

export interface TunnelCounts {
  readonly open: number;
  readonly total: number;
  /** Broken off, rather than ended by both sides. */
  readonly broken: number;
  /** Without a target that could be reached. */
  readonly unreached: number;
}

/** The client behind us sees an end and no reason, and can do nothing about it: whoever runs the proxy can. */
const REFUSED_US = 'KNSOCK_CLIENT_CERTIFICATE_REFUSED';

export class Tunnels {
  readonly #log: ServeLog;
  readonly #running = new Set<Promise<void>>();
  #total = 0;
  #broken = 0;
  #unreached = 0;

  constructor(log: ServeLog) {
    this.#log = log;
  }

  counts(): TunnelCounts {
    return { open: this.#running.size, total: this.#total, broken: this.#broken, unreached: this.#unreached };
  }

  /** Follows a connection that was passed on until both sides have ended. */
  async carry({ id, from, subject }: Tunnel, target: string, relaying: Promise<void>): Promise<void> {
    this.#total += 1;
    const since = performance.now();
    const who = subject === null ? from : `${from} ${subject}`;
    this.#log.event('open', { id, from, subject, target }, `#${id} open   ${who} → ${target}`);
    const running = relaying.then(
      () => undefined,
      (error: unknown) => {
        this.#broken += 1;
        return error;
      },
    );
    const ended = running.then((error) => {
      this.#running.delete(ended);
      const ms = Math.round(performance.now() - since);
      const failure = error === undefined ? undefined : describeFailure(error);
      const hint = failure?.code === REFUSED_US ? failure.hint : undefined;
      const fields = { id, ms, target, error: failure?.what, code: failure?.code, hint };
      const why = failure === undefined ? '' : `: ${failure.what} [${failure.code}] ${hint ?? ''}`.trimEnd();
      this.#log.event('close', fields, `#${id} closed after ${ms.toLocaleString('en')} ms${why}`);
    });
    this.#running.add(ended);
    return ended;
  }

  failed(from: string, error: unknown): void {
    this.#unreached += 1;
    this.#log.failed(from, error);
  }

  /** Resolves when those that are open now have ended, and their last bytes are out. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
