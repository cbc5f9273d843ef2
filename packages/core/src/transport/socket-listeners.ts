/** Listeners that all TLS sockets share, and through which each finds its stream: closures for each are expensive on ten thousand idle ones. */
import type { TLSSocket } from 'node:tls';

/** What a socket reports. */
export interface SocketListener {
  deliver(chunk: Buffer): unknown;
  drained(): void;
  ended(): void;
  failed(error: Error): void;
  closed(): void;
}

const LISTENER = Symbol('listener');
type Heard = TLSSocket & { [LISTENER]: SocketListener };

/** All but the data, for which the socket would begin to read. */
export function listenTo(socket: TLSSocket, listener: SocketListener): void {
  (socket as Heard)[LISTENER] = listener;
  socket.on('error', onError).on('drain', onDrain).on('end', onEnd).on('close', onClose);
}

export function listenForData(socket: TLSSocket): void {
  socket.on('data', onData);
}

function onError(this: TLSSocket, error: Error): void {
  (this as Heard)[LISTENER].failed(error);
}

function onDrain(this: TLSSocket): void {
  (this as Heard)[LISTENER].drained();
}

function onData(this: TLSSocket, chunk: Buffer): void {
  (this as Heard)[LISTENER].deliver(chunk);
}

function onEnd(this: TLSSocket): void {
  (this as Heard)[LISTENER].ended();
}

function onClose(this: TLSSocket): void {
  (this as Heard)[LISTENER].closed();
}
