import { ConnectionTimeoutError, type TimeoutPhase } from '../errors/index.js';
import { showTarget, type DialProgress } from '../transport/dial.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';
import type { ReachConfig } from './config.js';

/** The timeout of a whole connect, and the caller's signal, as one signal. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #source: AbortSignal | null;

  constructor(config: ReachConfig, progress: DialProgress) {
    const { connectTimeout, target } = config;
    this.#timer = setTimeout(() => {
      this.#controller.abort(timeout(progress.phase, connectTimeout, showTarget(target)));
    }, connectTimeout);
    this.#source = config.signal;
    onAbort(this.#source, this.#aborted);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  clear(): void {
    clearTimeout(this.#timer);
    offAbort(this.#source, this.#aborted);
  }

  readonly #aborted = (): void => {
    this.#controller.abort(this.#source?.reason);
  };
}

const waits: Readonly<Record<DialProgress['phase'], string>> = {
  dns: 'its name to be resolved',
  tcp: 'a TCP connection',
  tls: 'the TLS handshake',
  welcome: 'the server to accept the connection',
};

function timeout(phase: DialProgress['phase'], ms: number, address: string): ConnectionTimeoutError {
  return new ConnectionTimeoutError(
    phase satisfies TimeoutPhase,
    ms,
    `connecting to ${address} took over ${ms} ms, waiting for ${waits[phase]}`,
  );
}
