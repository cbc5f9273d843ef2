/** Bare node:tls, written as plainly and as fast as Node's own interface allows: the limit. */
import tls, { type TLSSocket } from 'node:tls';
import type { Certificates } from '../certificates.js';
import { clientContext, clientOptions, listenOn, serverOptions } from '../tls-setup.js';
import { frameOf } from '../wire.js';
import { bulk, type BulkRole } from './bulk.js';
import { open } from './footprint.js';

type BareBehaviour = 'echo' | 'naive' | 'greet' | 'idle' | BulkRole;

export interface BareServerOptions {
  readonly files: Certificates;
  readonly behaviour: BareBehaviour;
  readonly clientCertificates?: boolean;
  /** Whether it reads each client's certificate once, as every program that authorizes by it does; default true. */
  readonly readsLeaf?: boolean;
}

export async function serveBare({
  files,
  behaviour,
  clientCertificates,
  readsLeaf = true,
}: BareServerOptions): Promise<number> {
  const behave = behaviours[behaviour];
  const server = tls.createServer(serverOptions(files, clientCertificates === true), (socket) => {
    // A load generator that ends may reset what it leaves.
    socket.on('error', () => undefined);
    if (clientCertificates === true && readsLeaf && socket.getPeerCertificate(false).raw === undefined)
      throw new Error('a client came without its certificate');
    behave(socket);
  });
  server.on('tlsClientError', () => undefined);
  return listenOn(server);
}

export interface BareClientOptions {
  readonly files: Certificates;
  readonly port: number;
  readonly behaviour: BulkRole;
}

export function connectBare({ files, port, behaviour }: BareClientOptions): Promise<void> {
  const socket = tls.connect({ ...clientOptions(port), ...clientContext(files, false) });
  socket.setNoDelay(true);
  behaviours[behaviour](socket);
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
}

const behaviours: Readonly<Record<BareBehaviour, (socket: TLSSocket) => void>> = {
  echo: (socket) => {
    socket.on('data', (chunk: Buffer) => {
      if (socket.write(chunk)) return;
      socket.pause();
      socket.once('drain', () => socket.resume());
    });
  },
  naive,
  greet: (socket) => {
    socket.on('data', () => undefined);
    socket.write(frameOf('length-prefixed', Buffer.from('hello')));
  },
  idle: (socket) => {
    open.add(socket);
    socket.on('data', () => undefined);
  },
  sends: (socket) => {
    overSocket(socket, 'sends');
  },
  receives: (socket) => {
    overSocket(socket, 'receives');
  },
};

/** What is written again and again: concatenate what came, cut off messages, write header and payload. */
function naive(socket: TLSSocket): void {
  let buffered = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4) {
      const end = 4 + buffered.readUInt32BE(0);
      if (buffered.length < end) break;
      const message = buffered.subarray(4, end);
      buffered = buffered.subarray(end);
      const header = Buffer.alloc(4);
      header.writeUInt32BE(message.length);
      socket.write(header);
      socket.write(message);
    }
  });
}

function overSocket(socket: TLSSocket, role: BulkRole): void {
  const take = bulk(
    { write: (payload) => socket.write(payload), whenReady: (go) => socket.once('drain', go) },
    role,
  );
  socket.on('data', (chunk: Buffer) => {
    take(chunk.length);
  });
}
