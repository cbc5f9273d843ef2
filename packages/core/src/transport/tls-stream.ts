/** A TLS socket whose handshake is done, as a byte stream. */
import type { TLSSocket } from 'node:tls';
import { ConnectionClosedError } from '../errors/index.js';
import { breakOff, breaksOffLater, cut } from './break-off.js';
import type { ByteStream, ByteStreamEvents } from './byte-stream.js';
import { isAlone, joinOthers, leaveOthers, paceOf, SMALLEST_PIECE, spend } from './fair-share.js';
import type { ChunkSink, OnreadTap } from './onread-tap.js';
import { boundRenegotiation } from './renegotiation.js';
import { listenForData, listenTo, type SocketListener } from './socket-listeners.js';
import { bytesTaken, isPeersAlert, lookForReset, resetOf } from './tls-handle.js';

/** How long data that arrived before the socket closed is kept after the reader's last read, in ms. */
const PATIENCE = 120_000;

const NOTHING = Buffer.alloc(0);

export class TlsStream implements ByteStream, ChunkSink, SocketListener {
  readonly socket: TLSSocket;
  readonly #tap: OnreadTap | null;
  #events: ByteStreamEvents | null = null;
  /** How many bytes take one share of a turn, estimated from the last ones. */
  #pace = Infinity;
  #paused = false;
  /** Whether others get their turn before this connection reads on. */
  #yielding = false;
  #held: Buffer[] = [];
  #error: Error | undefined;
  #end: 'open' | 'seen' | 'delivered' = 'open';
  #closed = false;
  /** Whether this side destroyed the stream: then nothing waits for earlier data. */
  #abandoned = false;
  #departed = false;
  isAlerting = false;
  /** Called once, on an end without data before the stream was opened. */
  #left: ((error: Error | undefined) => void) | null = null;
  /** What was unsent when the socket failed: Node doesn't keep it. */
  #lost: number | null = null;
  #patience: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;

  /** @param tap the tap that the socket was made with, or null where it delivers `data` events */
  constructor(socket: TLSSocket, tap: OnreadTap | null) {
    this.socket = socket;
    this.#tap = tap;
    listenTo(socket, this);
    boundRenegotiation(socket);
    joinOthers();
  }

  /** Once the socket is gone: what it never took. */
  get queuedBytes(): number {
    return this.#lost ?? this.socket.writableLength;
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.socket.bytesWritten;
  }

  get bytesTaken(): number {
    return bytesTaken(this.socket);
  }

  get isSending(): boolean {
    const { writableLength, writableEnded, writableFinished } = this.socket;
    return writableLength > 0 || (writableEnded && !writableFinished);
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
    else listenForData(this.socket);
    if (!this.#paused) this.resume();
  }

  /**
   * Until the stream is opened: calls `left` once, when the peer has ended without having sent anything, or the socket is
   * gone. An end after data may come from a peer that waits for its answer; it is delivered when the stream is opened.
   * @returns stops watching
   */
  watchPeer(left: (error: Error | undefined) => void): () => void {
    this.#left = left;
    if (this.#end !== 'open' || this.#closed)
      process.nextTick(() => {
        this.#reportLeft();
      });
    return () => {
      this.#left = null;
    };
  }

  get copiesNext(): number {
    return this.#mustHold() ? 0 : (this.#events?.copiesNext ?? 0);
  }

  /** Beside other connections a part of a chunk may have to wait. */
  get lends(): boolean {
    return this.#events?.lends === true && isAlone() && !this.#mustHold();
  }

  deliver(chunk: Buffer): boolean {
    if (this.#events === null || this.#mustHold()) this.#held.push(chunk);
    else {
      this.#take(chunk, this.#events);
      this.#takeHeld(this.#events);
    }
    return !this.#paused && !this.#yielding;
  }

  write(bytes: Uint8Array, taken?: (error?: Error | null) => void): boolean {
    return this.socket.write(bytes, taken);
  }

  end(): void {
    this.socket.end();
  }

  destroy(error?: Error): void {
    this.#abandon(error);
    // An admitted client takes an end before its session tickets for a refusal; Node sends them behind its callbacks.
    const owesTickets = this.#events !== null && this.#tap === null && this.bytesWritten === 0;
    if (owesTickets && this.socket.writable) this.socket.write(NOTHING);
    this.socket.destroy();
    if (this.#closed) this.#depart();
  }

  #abandon(error: Error | undefined): void {
    this.#error ??= error;
    this.#abandoned = true;
    this.#lost ??= this.socket.writableLength;
  }

  cut(): void {
    cut(this);
  }

  reset(error?: Error, how: 'alert' | 'reset' = 'alert'): void {
    const isWriting = this.#events !== null && this.isSending;
    const isWaited = (isWriting && breaksOffLater(this, how)) || breakOff(this, how);
    if (!isWaited || this.#events === null) {
      this.destroy(error);
      return;
    }
    // The program has nothing to wait for.
    this.#abandon(error);
    process.nextTick(() => {
      this.#depart();
      this.#events = null;
    });
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

  // ── what the socket reports ──

  /**
   * Node leaves a TLS socket open after errors of OpenSSL's, such as a damaged record: the first one ends it. What a peer had sent
   * before its alert is delivered first, also to a slow reader.
   */
  failed(error: Error): void {
    if (this.isAlerting) return;
    this.#error ??= error;
    this.#lost ??= this.socket.writableLength;
    if (isPeersAlert(error) && (this.#held.length > 0 || this.socket.readableLength > 0)) this.#bePatient();
    else this.socket.destroy();
  }

  drained(): void {
    this.#events?.drain();
  }

  ended(): void {
    const reset = resetOf(this.socket);
    if (reset !== null) {
      this.failed(reset);
      return;
    }
    this.#end = 'seen';
    this.#deliverEnd();
    this.#reportLeft();
  }

  closed(): void {
    this.#closed = true;
    clearInterval(this.#look);
    leaveOthers();
    this.#depart();
    this.#reportLeft();
    if (this.#isOwed) this.#bePatient();
  }

  #reportLeft(): void {
    if (!this.#closed && this.#tap?.isHolding === true) return;
    const left = this.#left;
    this.#left = null;
    left?.(this.#error);
  }

  // ── bytes in ──

  /** Passes on about one share of the turn; the rest of the chunk is held until the others had theirs. */
  #take(chunk: Buffer, events: ByteStreamEvents): void {
    if (isAlone()) {
      events.data(chunk);
      return;
    }
    const size = Math.max(this.#pace, events.copiesNext ?? 0);
    if (size < chunk.length) this.#held.unshift(chunk.subarray(size));
    const piece = size < chunk.length ? chunk.subarray(0, size) : chunk;
    const started = performance.now();
    events.data(piece);
    const took = performance.now() - started;
    this.#pace = paceOf(piece.length, took);
    if (spend(this, took, chunk.length <= SMALLEST_PIECE) && !this.#paused && !this.#yielding) this.#yield();
  }

  #yield(): void {
    this.#yielding = true;
    this.socket.pause();
    setImmediate(goOn, this);
  }

  /** The others had their turn. */
  goOn(): void {
    this.#yielding = false;
    if (!this.#paused) this.resume();
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
    if (this.#error !== undefined) {
      this.socket.destroy();
      return;
    }
    this.#events.end();
    if (this.#closed || this.socket.writableEnded) return;
    this.#look = lookForReset(this.socket, (reset) => {
      this.failed(reset);
    });
  }

  /** Whether something arrived that wasn't delivered yet: a slow reader still gets it after the socket is gone. */
  get #isOwed(): boolean {
    const isOver = this.#error !== undefined && !isPeersAlert(this.#error);
    return this.#end === 'seen' && !this.#abandoned && !isOver;
  }

  /** Data that is never read must not be kept forever. */
  #bePatient(): void {
    const words = `what the peer had sent wasn't read within ${PATIENCE} ms`;
    const giveUp = (): void => {
      this.destroy(new ConnectionClosedError(false, words));
    };
    this.#patience = setTimeout(giveUp, PATIENCE).unref();
  }

  #depart(): void {
    if (this.#departed || this.#isOwed || this.#events === null) return;
    this.#departed = true;
    clearTimeout(this.#patience);
    this.#events.gone(this.#error);
  }
}

function goOn(stream: TlsStream): void {
  stream.goOn();
}
