/**
 * What answers a CA's validations while some are under way: it is opened for them and closed after them. Anybody may
 * connect meanwhile, so it is bounded, and it says nothing but the pending answers.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { createSelfSigned } from '../issuing/issue.js';
import { AcmeError } from './acme-error.js';
import type { PendingChallenges } from './pending-challenges.js';

/** The challenges that are supported. */
export type AcmeChallengeType = 'tls-alpn-01' | 'http-01';

/** Where the CA expects the answers (RFC 8737 §3, RFC 8555 §8.3). */
export const challengePorts: Readonly<Record<AcmeChallengeType, number>> = {
  'tls-alpn-01': 443,
  'http-01': 80,
};

/** Where to listen. */
export interface ListenPlace {
  /** Default every address. */
  readonly host?: string | undefined;
  readonly port: number;
}

const MOST_CONNECTIONS = 64;
/** For a whole connection, in ms. */
const LONGEST = 10_000;
const PATH = '/.well-known/acme-challenge/';

/**
 * Listens for validations. @returns what ends it
 * @throws AcmeError `KNSOCK_ACME_LISTEN`
 */
export async function listenForChallenges(
  type: AcmeChallengeType,
  { host, port }: ListenPlace,
  pending: PendingChallenges,
): Promise<() => Promise<void>> {
  const server = type === 'http-01' ? httpServer(pending) : await tlsServer(pending);
  const sockets = new Set<Socket>();
  server.maxConnections = MOST_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), LONGEST).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      sockets.delete(socket);
    });
    socket.on('error', ignore);
  });
  await listening(server, host, port, type);
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const socket of sockets) socket.destroy();
    });
}

function listening(
  server: Server,
  host: string | undefined,
  port: number,
  type: AcmeChallengeType,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cannotListen(cause, port, type));
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.on('error', ignore);
      resolve();
    });
  });
}

function cannotListen(cause: NodeJS.ErrnoException, port: number, type: AcmeChallengeType): AcmeError {
  const message = `can't listen on port ${port} for the validation by ${type}: ${cause.message}`;
  const hint =
    cause.code === 'EACCES'
      ? 'Ports below 1024 need a capability or a redirect: see "Challenges and ports" in docs/acme.md.'
      : "Stop what listens there, or let the program's own server answer: see docs/acme.md.";
  return new AcmeError('KNSOCK_ACME_LISTEN', message, { cause, hint });
}

/** No other path, method or token has an answer. */
function httpServer(pending: PendingChallenges): Server {
  const server = createHttpServer(
    { maxHeaderSize: 8_192, headersTimeout: LONGEST, requestTimeout: LONGEST, keepAlive: false },
    (request: IncomingMessage, response: ServerResponse) => {
      const { method, url = '' } = request;
      const token = url.startsWith(PATH) ? url.slice(PATH.length) : '';
      const answer = method === 'GET' ? pending.authorizationFor(token) : undefined;
      response.setHeader('connection', 'close');
      if (answer === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer);
    },
  );
  server.maxRequestsPerSocket = 1;
  return server;
}

/**
 * Shows a challenge's certificate for `acme-tls/1` alone. Any other protocol fails the handshake; a client that offers
 * none is shown a certificate of no name, which TLS 1.2 must have before it looks at protocols, and closed.
 */
async function tlsServer(pending: PendingChallenges): Promise<Server> {
  const { certificate: cert, key } = await createSelfSigned({ names: ['acme.invalid'] });
  const server = createTlsServer({
    ...{ cert, key, handshakeTimeout: LONGEST },
    ALPNCallback: function (this: TLSSocket, { servername, protocols }) {
      const challenge = protocols.length === 1 ? pending.certificateFor(servername) : undefined;
      if (challenge === undefined || protocols[0] !== 'acme-tls/1') return undefined;
      this.setKeyCert(createSecureContext(challenge));
      return 'acme-tls/1';
    },
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', ignore);
    // RFC 8737 §3: the connection ends after the handshake, and carries no data.
    if (socket.alpnProtocol === 'acme-tls/1') socket.resume().end();
    else socket.destroy();
  });
  server.on('tlsClientError', ignore);
  return server;
}

function ignore(): void {
  // A stranger's connection; its socket is destroyed.
}
