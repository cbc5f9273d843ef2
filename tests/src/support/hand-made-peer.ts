/** A client of knsock/1 that is written from `docs/wire-format.md` alone, and keeps to it only as far as a test wants. */
import { once } from 'node:events';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

export const kind = { welcome: 1, message: 3, request: 4, response: 5, rejected: 8, goaway: 9, ping: 11 };

export function frame(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + body.length);
  head[4] = kind;
  return Buffer.concat([head, body]);
}

/** A WELCOME that takes messages of 4 GiB, and any number of requests. */
export const welcome = frame(kind.welcome, Buffer.alloc(8, 0xff));

export function requestFrame(id: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64BE(BigInt(id));
  return frame(kind.request, Buffer.concat([head, payload]));
}

/** A TLS socket whose handshake is done; it verifies nothing, and reads nothing until asked. */
export async function tlsPeer(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** The same, welcomed by a server of ours and welcoming it. */
export async function knsockPeer(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = await tlsPeer(port, { ALPNProtocols: ['knsock/1'], ...options });
  await once(socket, 'readable');
  socket.write(welcome);
  return socket;
}

/** Counts the frames in a stream by their kinds. */
export class FrameCount {
  readonly #counts = new Map<number, number>();
  #head: number[] = [];
  #left = 0;

  of(kind: number): number {
    return this.#counts.get(kind) ?? 0;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        this.#head.push(chunk[at++] as number);
        this.#begin();
      } else {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
      }
    }
  }

  #begin(): void {
    if (this.#head.length < 5) return;
    const head = Buffer.from(this.#head);
    this.#head = [];
    this.#left = head.readUInt32BE() - 1;
    const kind = head[4] as number;
    this.#counts.set(kind, this.of(kind) + 1);
  }
}
