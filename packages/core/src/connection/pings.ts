/** Pings under way: each carries a number, and its PONG brings it back. */
import { ConnectionTimeoutError } from '../errors/index.js';

interface Ping {
  readonly sentAt: number;
  finish(error: Error | null): void;
}

export class Pings {
  readonly #send: (payload: Buffer) => void;
  readonly #underway = new Map<bigint, Ping>();
  #last = 0n;

  constructor(send: (payload: Buffer) => void) {
    this.#send = send;
  }

  /** The round trip in milliseconds. */
  ping(timeout: number, signal: AbortSignal | undefined): Promise<number> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const id = ++this.#last;
    const payload = Buffer.alloc(8);
    payload.writeBigUInt64BE(id);
    const promise = new Promise<number>((resolve, reject) => {
      const sentAt = performance.now();
      const aborted = (): void => {
        ping.finish(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        ping.finish(
          new ConnectionTimeoutError('heartbeat', timeout, `no answer to a ping within ${timeout} ms`),
        );
      }, timeout);
      timer.unref();
      signal?.addEventListener('abort', aborted, { once: true });
      const ping: Ping = {
        sentAt,
        finish: (error) => {
          this.#underway.delete(id);
          clearTimeout(timer);
          signal?.removeEventListener('abort', aborted);
          if (error === null) resolve(performance.now() - sentAt);
          else fail(error);
        },
      };
      const fail = (error: Error): void => {
        // A call that nobody awaits must not end the process.
        promise.catch(() => undefined);
        reject(error);
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
