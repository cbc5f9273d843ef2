/** A TCP proxy on loopback that does to bytes what networks do: delays, slices, damages, swallows or cuts them. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** The way that bytes go: `up` from the client to the server. */
export type Direction = 'up' | 'down';

/** What is done to the bytes of each connection; read anew for every chunk. */
export interface Faults {
  /** Milliseconds that each chunk is held. */
  latency?: number;
  /** The most bytes that are written at once. */
  slice?: number;
  /** Flips a bit of the last byte of the next chunk that goes that way. */
  damageNext?: Direction | undefined;
  /** Resets both sides once so many bytes have passed. */
  cutAfter?: { readonly direction: Direction; readonly bytes: number };
}

export class FaultProxy implements AsyncDisposable {
  readonly faults: Faults;
  readonly #target: number;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #swallowing = false;

  static async start(target: number, faults: Faults = {}): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, faults);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  private constructor(target: number, faults: Faults) {
    this.#target = target;
    this.faults = faults;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      this.#join(client);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections that pass through now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** From now on nothing passes either way, and neither side is notified. */
  swallow(): void {
    this.#swallowing = true;
  }

  /** Cuts every connection, on both sides, by a reset. */
  reset(): void {
    for (const pair of this.#pairs) resetBoth(pair);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const [client, server] of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await closed;
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    for (const [socket, other] of [pair, [server, client] as const]) {
      socket.on('error', () => {
        if (!this.#swallowing) other.resetAndDestroy();
      });
      socket.on('close', () => {
        if (this.#swallowing) return;
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
    this.#pass(client, server, 'up', pair);
    this.#pass(server, client, 'down', pair);
  }

  #pass(from: Socket, to: Socket, direction: Direction, pair: readonly [Socket, Socket]): void {
    let passed = 0;
    let last = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      if (this.#swallowing) return;
      passed += chunk.length;
      this.#damage(chunk, direction);
      from.pause();
      last = last.then(async () => {
        await this.#write(to, chunk);
        const { cutAfter } = this.faults;
        if (cutAfter?.direction === direction && passed >= cutAfter.bytes) resetBoth(pair);
        else from.resume();
      });
    });
    from.on('end', () => {
      if (!this.#swallowing) void last.then(() => to.end());
    });
  }

  #damage(chunk: Buffer, direction: Direction): void {
    if (this.faults.damageNext !== direction) return;
    this.faults.damageNext = undefined;
    chunk[chunk.length - 1] = (chunk.at(-1) as number) ^ 1;
  }

  async #write(to: Socket, chunk: Buffer): Promise<void> {
    const { latency = 0, slice = chunk.length } = this.faults;
    if (latency > 0) await new Promise((resolve) => setTimeout(resolve, latency));
    for (let at = 0; at < chunk.length; at += slice) {
      await new Promise((resolve) => to.write(chunk.subarray(at, at + slice), resolve));
    }
  }
}

function resetBoth([client, server]: readonly [Socket, Socket]): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}
