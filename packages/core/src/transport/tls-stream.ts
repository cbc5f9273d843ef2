/** A TLS socket whose handshake is done, as a byte stream. */
import type { TLSSocket } from 'node:tls';
import type { ByteStream, ByteStreamEvents } from './byte-stream.js';
import type { ChunkSink, OnreadTap } from './onread-tap.js';

export class TlsStream implements ByteStream, ChunkSink {
  readonly socket: TLSSocket;
  readonly #tap: OnreadTap | null;
  #events: ByteStreamEvents | null = null;
  #paused = false;
  #held: Buffer[] = [];
  #error: Error | undefined;
  #end: 'open' | 'seen' | 'delivered' = 'open';
  #closed = false;

  /** @param tap the tap that the socket was made with, or null where it delivers `data` events */
  constructor(socket: TLSSocket, tap: OnreadTap | null) {
    this.socket = socket;
    this.#tap = tap;
    socket.on('error', (error: Error) => {
      this.#fail(error);
    });
    socket.on('drain', () => this.#events?.drain());
    socket.on('end', () => {
      this.#end = 'seen';
      this.#deliverEnd();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#events?.gone(this.#error);
    });
  }

  get queuedBytes(): number {
    return this.socket.writableLength;
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.socket.bytesWritten;
  }

  open(events: ByteStreamEvents): void {
    this.#events = events;
    if (this.#closed) {
      process.nextTick(() => {
        events.gone(this.#error);
      });
      return;
    }
    if (this.#tap !== null) this.#tap.attach(this);
    else
      this.socket.on('data', (chunk: Buffer) => {
        events.data(chunk);
      });
    if (!this.#paused) this.resume();
  }

  deliver(chunk: Buffer): boolean {
    if (this.#paused || this.#held.length > 0) this.#held.push(chunk);
    else this.#events?.data(chunk);
    return !this.#paused;
  }

  write(bytes: Uint8Array, taken?: () => void): boolean {
    return this.socket.write(bytes, taken);
  }

  end(): void {
    this.socket.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.socket.destroy();
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    while (this.#held.length > 0 && !this.#paused) this.#events?.data(this.#held.shift() as Buffer);
    if (this.#paused) return;
    if (this.#end === 'open') this.socket.resume();
    else this.#deliverEnd();
  }

  #deliverEnd(): void {
    if (this.#end !== 'seen' || this.#paused || this.#held.length > 0 || this.#events === null) return;
    this.#end = 'delivered';
    this.#events.end();
  }

  /** Node leaves a TLS socket open after some errors, such as a damaged record: the first one ends it. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.socket.destroy();
  }
}
