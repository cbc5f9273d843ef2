/** The connections of a proxy: counted, logged, and drained on shutdown. */
import { describeFailure } from '../failure.js';
import type { ServeLog } from '../serving/serve-log.js';
import type { Reached } from './targets.js';

/** One forwarded connection. */
export interface Tunnel {
  readonly id: number;
  /** The client and its identity. */
  readonly from: string;
  readonly subject: string | null;
}

export interface TunnelCounts {
  readonly open: number;
  readonly total: number;
  /** Destroyed, rather than ended by both sides. */
  readonly broken: number;
  /** No target could be reached. */
  readonly unreached: number;
}

/** The client sees no reason for the end; the operator of the proxy needs it. */
const REFUSED_US = new Set(['KNSOCK_CLIENT_CERTIFICATE_REFUSED', 'KNSOCK_CONNECTION_ENDED_EARLY']);

export class Tunnels {
  readonly #log: ServeLog;
  #open = 0;
  #total = 0;
  #broken = 0;
  #unreached = 0;
  #settled: (() => void)[] = [];

  constructor(log: ServeLog) {
    this.#log = log;
  }

  counts(): TunnelCounts {
    return { open: this.#open, total: this.#total, broken: this.#broken, unreached: this.#unreached };
  }

  /** Tracks a forwarded connection until both sides have ended, and releases its target. */
  carry(tunnel: Tunnel, reached: Reached<{ destroy(): unknown }>, relaying: Promise<void>): void {
    const { id, from, subject } = tunnel;
    const target = reached.target.text;
    this.#open += 1;
    this.#total += 1;
    const who = subject === null ? from : `${from} ${subject}`;
    this.#log.event('open', { id, from, subject, target }, `#${id} open   ${who} → ${target}`);
    const since = performance.now();
    const ended = (error?: unknown): void => {
      if (error !== undefined) {
        this.#broken += 1;
        reached.far.destroy();
      }
      reached.release();
      this.#logEnd(id, target, since, error);
      this.#left();
    };
    relaying.then(ended, ended);
  }

  failed(from: string, error: unknown): void {
    this.#unreached += 1;
    this.#log.failed(from, error);
  }

  /** Resolves when open connections have ended, and their last bytes are written. */
  async settled(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#settled.push(resolve));
  }

  #logEnd(id: number, target: string, since: number, error: unknown): void {
    const ms = Math.round(performance.now() - since);
    const failure = error === undefined ? undefined : describeFailure(error, 'proxy');
    const hint = failure !== undefined && REFUSED_US.has(failure.code) ? failure.hint : undefined;
    const fields = { id, ms, target, error: failure?.message, code: failure?.code, hint };
    const why = failure === undefined ? '' : `: ${failure.message} [${failure.code}] ${hint ?? ''}`.trimEnd();
    this.#log.event('close', fields, `#${id} closed after ${ms.toLocaleString('en')} ms${why}`);
  }

  #left(): void {
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }
}
