import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  connect,
  ConnectionError,
  ConnectionRefusedError,
  InvalidOptionError,
  loadCredentials,
  raw,
  type ErrorListener,
} from '@knsock/core';
import {
  callback,
  filePath,
  flag,
  integerWithin,
  number,
  readAllOptions,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '@knsock/core/options';
import { BorrowedChannel, ByteChannel } from './byte-channel.js';
import { Pool } from '../pool/pool.js';
import type { PoolStats } from '../pool/stats.js';
import type { PoolCloseOptions, WaitOptions } from '../waiting/wait-options.js';

/** The options of kn-sock, with times in milliseconds. */
export interface TCPConnectionPoolOptions {
  /** Default 10. */
  maxSize?: number | undefined;
  /** How long an unused connection is kept. Default 30,000; a value under 1,000 is refused as being in seconds. */
  idleTimeout?: number | undefined;
  /** Whether to use TLS. Default true; kn-sock's was false. */
  ssl?: boolean | undefined;
  /** Files, PEM. */
  cafile?: string | undefined;
  /** The own certificate, PEM. */
  certfile?: string | undefined;
  /** Its key, PEM. */
  keyfile?: string | undefined;
  /** Whether the server's certificate is verified. Default true. */
  verify?: boolean | undefined;
  /** Receives every error that reaches no caller; default: a process warning. */
  onError?: ErrorListener | undefined;
}

/** How each of them is read, and its default. */
export const tcpPoolOptions = {
  maxSize: withDefault(integerWithin({ min: 1 }), 10),
  idleTimeout: withDefault(parseIdleTimeout, 30_000),
  ssl: withDefault(flag, true),
  cafile: filePath<string | undefined>,
  certfile: filePath<string | undefined>,
  keyfile: filePath<string | undefined>,
  verify: withDefault(flag, true),
  onError: callback<ErrorListener | undefined>,
} as const satisfies OptionReaders<TCPConnectionPoolOptions>;

/** kn-sock's pool of raw connections to one server, over TLS or plain TCP. */
export class TCPConnectionPool implements AsyncDisposable {
  readonly #pool: Pool<ByteChannel>;

  /** @throws InvalidOptionError naming the invalid option */
  constructor(host: string, port: number, options: TCPConnectionPoolOptions = {}) {
    const read = readAllOptions(options, tcpPoolOptions);
    const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#pool = new Pool<ByteChannel>({
      name: place,
      max: read.maxSize,
      onError: read.onError,
      idleTimeout: read.idleTimeout,
      // The check for a dead connection costs nothing here, so it is made every time.
      validateAfter: 0,
      keepalive: Infinity,
      create: async ({ signal }) => {
        const stream = await open(host, port, read, signal);
        const channel: ByteChannel = new ByteChannel(stream, place, () => {
          this.#pool.retire(channel, 'dead');
        });
        return channel;
      },
      validate: (channel) => channel.clean,
      reusable: (channel, error) => channel.clean && error === undefined,
      destroy: (channel, reason) => {
        if (reason === 'idle' || reason === 'lifetime' || reason === 'closed') channel.end();
        else channel.destroy();
      },
    });
  }

  /** Borrows a connection for the duration of the function; if it throws, the connection is destroyed. */
  connection<R>(fn: (connection: BorrowedChannel) => R | Promise<R>, options?: WaitOptions): Promise<R>;
  /** Borrows a connection until its `release()`, or the end of the scope with `await using`. */
  connection(options?: WaitOptions): Promise<BorrowedChannel>;
  async connection<R>(
    first?: ((connection: BorrowedChannel) => R | Promise<R>) | WaitOptions,
    second?: WaitOptions,
  ): Promise<R | BorrowedChannel> {
    const fn = typeof first === 'function' ? first : undefined;
    const lease = await this.#pool.acquire(typeof first === 'function' ? second : first);
    let failure: unknown;
    const borrowed = new BorrowedChannel(lease.value, () => {
      lease.release(failure);
    });
    if (!fn) return borrowed;
    try {
      return await fn(borrowed);
    } catch (error) {
      failure = error ?? new Error('the function threw nothing');
      throw error;
    } finally {
      await borrowed[Symbol.asyncDispose]();
    }
  }

  /** Current counts and times. */
  stats(): PoolStats {
    return this.#pool.stats();
  }

  /** Rejects waiting callers, closes idle connections, waits for borrowed ones until the deadline (default 15,000 ms). */
  closeAll(options?: PoolCloseOptions): Promise<void> {
    return this.#pool.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.closeAll();
  }
}

function parseIdleTimeout(option: string, value: number | undefined): number | undefined {
  const ms = number(option, value);
  if (ms === undefined || ms >= 1_000) return ms;
  const message = `idleTimeout is ${ms} ms; kn-sock's idle_timeout was in seconds, this one is in milliseconds (from 1,000)`;
  throw new InvalidOptionError(option, message);
}

async function open(
  host: string,
  port: number,
  { ssl, cafile, certfile, keyfile, verify, onError }: ReadOptions<typeof tcpPoolOptions>,
  signal: AbortSignal,
): Promise<Duplex> {
  if (!ssl) {
    const socket = connectPlain({ host, port, noDelay: true, keepAlive: true });
    return await connected(socket, signal);
  }
  const credentials = await loadCredentials({ caFile: cafile, certFile: certfile, keyFile: keyfile });
  const skip = verify ? {} : { dangerouslySkipVerification: true };
  const connection = await connect({ host, port, framing: raw(), credentials, onError, signal, ...skip });
  return connection.stream();
}

async function connected(socket: ReturnType<typeof connectPlain>, signal: AbortSignal): Promise<Duplex> {
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? error : unreachable(error as NodeJS.ErrnoException);
  }
}

function unreachable(cause: NodeJS.ErrnoException): ConnectionError {
  if (cause.code === 'ECONNREFUSED') return new ConnectionRefusedError(cause.message, { cause });
  return new ConnectionError('KNSOCK_CONNECTION_FAILED', cause.message, { cause });
}
