import type { Duplex } from 'node:stream';
import {
  ConnectionClosedError,
  ConnectionTimeoutError,
  EasySocketError,
  InvalidOptionError,
} from '@knsock/core/errors';
import { withDeadline, offAbort, onAbort } from '@knsock/core/options';
import { systemClock } from '../clock.js';
import { LeaseReleasedError } from '../pool/errors.js';

/** How one call waits; milliseconds. */
export interface ChannelWait {
  /** Default 30,000. */
  timeout?: number | undefined;
  /** Aborts the wait, with its reason. */
  signal?: AbortSignal | undefined;
}

const TIMEOUT = 30_000;
const FAREWELL = 1_000;
const NOTHING = Buffer.alloc(0);

/** Bytes both ways, like the sockets of kn-sock, over TLS or plain TCP. */
export class ByteChannel {
  readonly #stream: Duplex;
  readonly #place: string;
  #waiting = 0;
  /** The failure of the stream. */
  #failure: Error | undefined;

  /**
   * @param place the remote address, for errors
   * @param onEnd called once when the peer ends or the stream fails
   */
  constructor(stream: Duplex, place: string, onEnd: () => void) {
    this.#stream = stream;
    this.#place = place;
    // Every call reports it, also later ones.
    stream.on('error', (error) => {
      this.#failure ??= error;
    });
    stream.once('close', onEnd);
    stream.once('end', onEnd);
    // Without a reader a stream doesn't notice its end.
    stream.on('readable', () => undefined);
  }

  /** Whether another borrower may use it: nothing unread, nothing unsent, no caller waiting, both directions open. */
  get clean(): boolean {
    const { readableLength, writableLength, readableEnded, writable, destroyed } = this.#stream;
    const quiet = readableLength === 0 && writableLength === 0 && this.#waiting === 0;
    return quiet && writable && !destroyed && !readableEnded;
  }

  destroy(): void {
    this.#stream.destroy();
  }

  /** Closes gracefully; the peer has a second. */
  end(): void {
    const timer = setTimeout(() => this.#stream.destroy(), FAREWELL).unref();
    this.#stream.once('close', () => clearTimeout(timer));
    this.#stream.end(() => this.#stream.destroy());
  }

  sendall(data: string | Uint8Array, wait: ChannelWait = {}): Promise<void> {
    return this.#within(
      'send',
      wait,
      () =>
        new Promise<void>((resolve, reject) => {
          this.#stream.write(data, (error) => {
            if (error) reject(this.#whyEnded(error));
            else resolve();
          });
        }),
    );
  }

  recv(max: number, wait: ChannelWait = {}): Promise<Buffer> {
    if (!(max >= 1))
      return Promise.reject(new InvalidOptionError('max', `recv(${max}) must ask for 1 byte or more`));
    return this.#within('receive', wait, async (signal) => {
      for (;;) {
        const chunk = this.#take(max);
        if (chunk) return chunk;
        if (this.#stream.readableEnded) return NOTHING;
        if (this.#stream.destroyed) throw this.#whyEnded(undefined);
        await moved(this.#stream, signal);
      }
    });
  }

  #take(max: number): Buffer | undefined {
    // Only reading at the end of the stream reveals its end.
    const size = Math.min(max, this.#stream.readableLength);
    return (this.#stream.read(size === 0 ? undefined : size) ?? undefined) as Buffer | undefined;
  }

  /** The connection's own failure, such as a refused certificate, is more specific than "closed". */
  #whyEnded(error: Error | undefined): Error {
    const failure = this.#failure ?? error;
    if (failure instanceof EasySocketError) return failure;
    return new ConnectionClosedError('unknown', `the connection with ${this.#place} is closed`, {
      cause: failure,
    });
  }

  async #within<R>(
    phase: 'send' | 'receive',
    { timeout = TIMEOUT, signal }: ChannelWait,
    run: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const words = `${phase === 'send' ? 'sending to' : 'receiving from'} ${this.#place} took over ${timeout} ms`;
    const late = () => new ConnectionTimeoutError(phase, timeout, words);
    this.#waiting += 1;
    try {
      return await withDeadline({ ms: timeout, signal, run, late, clock: systemClock });
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** Resolves when there may be data to read, or the end is reached. */
function moved(stream: Duplex, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close'] as const;
    const done = () => {
      for (const event of events) stream.off(event, done);
      offAbort(signal, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
    onAbort(signal, done);
  });
}

/** A borrowed channel. */
export class BorrowedChannel implements AsyncDisposable {
  readonly #channel: ByteChannel;
  readonly #giveBack: () => void;
  #open = true;

  constructor(channel: ByteChannel, giveBack: () => void) {
    this.#channel = channel;
    this.#giveBack = giveBack;
  }

  /**
   * Sends all bytes; resolves when the system has accepted them.
   * @throws ConnectionTimeoutError · ConnectionClosedError · LeaseReleasedError
   */
  sendall(data: string | Uint8Array, wait?: ChannelWait): Promise<void> {
    return this.#use().sendall(data, wait);
  }

  /**
   * The received bytes, at most this many; empty at the peer's end.
   * @throws ConnectionTimeoutError · ConnectionClosedError · LeaseReleasedError
   */
  recv(max = 65_536, wait?: ChannelWait): Promise<Buffer> {
    return this.#use().recv(max, wait);
  }

  /** @throws LeaseReleasedError if it was released already */
  release(): void {
    this.#use();
    this.#open = false;
    this.#giveBack();
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) this.release();
    return Promise.resolve();
  }

  #use(): ByteChannel {
    if (!this.#open) throw new LeaseReleasedError('the connection was used after its release');
    return this.#channel;
  }
}
