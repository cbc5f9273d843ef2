/** Pings in flight: each carries a number, which its PONG returns. */
import { abortedCall, CallPromise, rejectCall } from '../errors/call-promise.js';
import { ConnectionTimeoutError } from '../errors/index.js';
import { standingAlone, type CallFailures } from './call-failures.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

interface Ping {
  readonly sentAt: number;
  finish(error: Error | null): void;
}

export class Pings {
  readonly #send: (payload: Buffer) => void;
  readonly #failures: CallFailures;
  readonly #underway = new Map<bigint, Ping>();
  #last = 0n;

  constructor(send: (payload: Buffer) => void, failures = standingAlone) {
    this.#send = send;
    this.#failures = failures;
  }

  /** The round trip in milliseconds. */
  ping(timeout: number, signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted === true) return abortedCall(signal);
    const id = ++this.#last;
    const payload = Buffer.alloc(8);
    payload.writeBigUInt64BE(id);
    const promise = new CallPromise<number>((resolve, reject) => {
      const sentAt = performance.now();
      const aborted = (): void => {
        ping.finish(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        const words = `no answer to a ping within ${timeout} ms`;
        ping.finish(this.#failures.named(new ConnectionTimeoutError('heartbeat', timeout, words)));
      }, timeout);
      timer.unref();
      onAbort(signal, aborted);
      const ping: Ping = {
        sentAt,
        finish: (error) => {
          this.#underway.delete(id);
          clearTimeout(timer);
          offAbort(signal, aborted);
          if (error === null) resolve(performance.now() - sentAt);
          else fail(error);
        },
      };
      const fail = (error: Error): void => {
        rejectCall(promise, reject, error, (unheard) => {
          if (unheard !== signal?.reason) this.#failures.unawaited(unheard, 'a ping');
        });
      };
      this.#underway.set(id, ping);
    });
    this.#send(payload);
    return promise;
  }

  pong(payload: Buffer): void {
    this.#underway.get(payload.readBigUInt64BE())?.finish(null);
  }

  failAll(why: () => Error): void {
    if (this.#underway.size === 0) return;
    const error = why();
    for (const ping of [...this.#underway.values()]) ping.finish(error);
  }
}
