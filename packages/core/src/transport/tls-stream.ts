/** A TLS socket whose handshake is done, as a byte stream. */
import type { TLSSocket } from 'node:tls';
import { ConnectionClosedError } from '../errors/index.js';
import type { ByteStream, ByteStreamEvents } from './byte-stream.js';
import { FairShare } from './fair-share.js';
import type { ChunkSink, OnreadTap } from './onread-tap.js';

/** How long a reader may leave what arrived before the socket closed, from its last look on, in ms. */
const PATIENCE = 120_000;

export class TlsStream implements ByteStream, ChunkSink {
  readonly socket: TLSSocket;
  readonly #tap: OnreadTap | null;
  #events: ByteStreamEvents | null = null;
  readonly #share = new FairShare();
  #paused = false;
  /** Whether others have their turn before this connection reads on. */
  #yielding = false;
  #held: Buffer[] = [];
  #error: Error | undefined;
  #end: 'open' | 'seen' | 'delivered' = 'open';
  #closed = false;
  /** Whether it was we who gave up: then nobody waits for what came before. */
  #abandoned = false;
  #departed = false;
  #patience: NodeJS.Timeout | undefined;

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
      this.#depart();
      if (this.#isOwed) this.#bePatient();
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
    if (this.#closed && !this.#isOwed) {
      process.nextTick(() => {
        this.#depart();
      });
      return;
    }
    if (this.#tap !== null) this.#tap.attach(this);
    else
      this.socket.on('data', (chunk: Buffer) => {
        this.#take(chunk, events);
      });
    if (!this.#paused) this.resume();
  }

  get copiesNext(): number {
    return this.#mustHold() ? 0 : (this.#events?.copiesNext ?? 0);
  }

  deliver(chunk: Buffer): boolean {
    if (this.#events === null || this.#mustHold()) this.#held.push(chunk);
    else this.#take(chunk, this.#events);
    return !this.#paused && !this.#yielding;
  }

  write(bytes: Uint8Array, taken?: () => void): boolean {
    return this.socket.write(bytes, taken);
  }

  end(): void {
    this.socket.end();
  }

  destroy(error?: Error): void {
    this.#error ??= error;
    this.#abandoned = true;
    this.socket.destroy();
    if (this.#closed) this.#depart();
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#events !== null) this.#takeHeld(this.#events);
    if (this.#paused || this.#yielding) return;
    if (this.#end === 'open' && !this.#closed) this.socket.resume();
    this.#deliverEnd();
    if (this.#closed) this.#depart();
    this.#patience?.refresh();
  }

  #take(chunk: Buffer, events: ByteStreamEvents): void {
    this.#share.begin();
    events.data(chunk);
    if (!this.#share.end() || this.#paused || this.#yielding) return;
    this.#yielding = true;
    this.socket.pause();
    setImmediate(() => {
      this.#yielding = false;
      if (!this.#paused) this.resume();
    });
  }

  #takeHeld(events: ByteStreamEvents): void {
    while (this.#held.length > 0 && !this.#paused && !this.#yielding)
      this.#take(this.#held.shift() as Buffer, events);
  }

  #mustHold(): boolean {
    return this.#paused || this.#yielding || this.#held.length > 0;
  }

  #deliverEnd(): void {
    if (this.#end !== 'seen' || this.#mustHold() || this.#events === null) return;
    this.#end = 'delivered';
    this.#events.end();
  }

  /** Whether something arrived that wasn't delivered yet: a slow reader gets it although the socket is gone. */
  get #isOwed(): boolean {
    return this.#end === 'seen' && !this.#abandoned && this.#error === undefined;
  }

  /** What nobody asks for must not be kept for ever. */
  #bePatient(): void {
    const giveUp = (): void => {
      this.destroy(
        new ConnectionClosedError(false, `what the peer had sent wasn’t read within ${PATIENCE} ms`),
      );
    };
    this.#patience = setTimeout(giveUp, PATIENCE).unref();
  }

  #depart(): void {
    if (this.#departed || this.#isOwed || this.#events === null) return;
    this.#departed = true;
    clearTimeout(this.#patience);
    this.#events.gone(this.#error);
  }

  /** Node leaves a TLS socket open after some errors, such as a damaged record: the first one ends it. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.socket.destroy();
  }
}
