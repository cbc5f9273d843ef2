/** Bare node:tls on either end: what stock Node lets through, and clients that replay tickets against our servers. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  connect,
  createServer,
  type ConnectionOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import type { Credentials } from '@knsock/core';

export const versions = ['TLSv1.2', 'TLSv1.3'] as const;
export type Version = (typeof versions)[number];

export const nodeMajor = Number(process.versions.node.split('.')[0]);

/** What a bare client saw. */
export interface Visit {
  /** What Node says of the server. */
  readonly authorized: boolean;
  readonly resumed: boolean;
  /** All that the server sent until it ended; empty where it refused. */
  readonly received: string;
  /** Every ticket that came, whether the client was admitted or not. */
  readonly sessions: readonly Buffer[];
  /** The code of what ended it, where it wasn't an end. */
  readonly error: string | null;
}

/** Connects, reads until the server ends, and keeps what it was given. Verifies nothing unless told to. */
export async function visit(port: number, options: ConnectionOptions): Promise<Visit> {
  const socket = connect({ host: '127.0.0.1', rejectUnauthorized: false, ...options, port });
  const sessions: Buffer[] = [];
  let received = '';
  let error: string | null = null;
  let seen = { authorized: false, resumed: false };
  socket.on('session', (session) => sessions.push(session));
  socket.on('secureConnect', () => {
    seen = { authorized: socket.authorized, resumed: socket.isSessionReused() };
  });
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', (cause: Error & { code?: string }) => (error = cause.code ?? cause.message));
  await new Promise((resolve) => socket.once('close', resolve));
  return { ...seen, received, sessions, error };
}

/** The newest ticket of a visit. */
export function ticketOf({ sessions }: Visit): Buffer {
  const ticket = sessions.at(-1);
  if (ticket === undefined) throw new Error('the server sent no ticket');
  return ticket;
}

export interface StockServer extends AsyncDisposable {
  readonly port: number;
  readonly server: Server;
}

/** A stock server that tells each client what Node thinks of it, and ends. */
export async function stockServer(
  options: TlsOptions,
  answer: (socket: TLSSocket) => string = whatNodeThinks,
): Promise<StockServer> {
  const server = createServer(options, (socket) => {
    socket.on('error', () => undefined);
    socket.end(answer(socket));
    socket.resume();
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Such as `authorized as app, resumed`. */
function whatNodeThinks(socket: TLSSocket): string {
  const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined;
  const who = subject?.CN ?? 'nobody';
  const verdict = socket.authorized ? 'authorized' : 'unauthorized';
  return `${verdict} as ${who}${socket.isSessionReused() ? ', resumed' : ''}`;
}

/** Credentials as bare node:tls takes them. */
export function bare({ material, anchors }: Credentials): { cert?: string; key?: string; ca?: string[] } {
  return { ...material, ...(anchors !== null && { ca: anchors.map(({ pem }) => pem) }) };
}
