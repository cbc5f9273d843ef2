/**
 * What answers a CA's validations while some are under way: it is opened for them and closed after them. Anybody may
 * connect meanwhile, so it is bounded, and it says nothing but the pending answers.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { ListenOptions } from '@knsock/core';
import { ConnectionError } from '@knsock/core/errors';
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

/** Where to listen, and for whom, as for core's `listen`. */
export interface ListenPlace extends Pick<ListenOptions, 'host' | 'proxyProtocol' | 'allow' | 'deny'> {
  readonly port: number;
}

const MOST_CONNECTIONS = 64;
/** For a whole connection, in ms. */
const LONGEST = 10_000;
/** RFC 2606. */
const NO_NAME = 'acme.invalid';
const PATH = '/.well-known/acme-challenge/';

/**
 * Listens for validations. @returns what ends it
 * @throws AcmeError `KNSOCK_ACME_LISTEN`
 */
export function listenForChallenges(
  type: AcmeChallengeType,
  place: ListenPlace,
  pending: PendingChallenges,
): Promise<() => Promise<void>> {
  return type === 'http-01' ? answerHttp(place, pending) : answerTls(place, pending);
}

async function answerHttp({ host, port }: ListenPlace, pending: PendingChallenges) {
  const server = httpServer(pending);
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
  await listening(server, host, port);
  return () =>
    new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const socket of sockets) socket.destroy();
    });
}

function listening(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(cannotListen(cause, port, 'http-01'));
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
    'Ports below 1024 need a capability or a redirect: see "Challenges and ports" in docs/acme.md.';
  return new AcmeError('KNSOCK_ACME_LISTEN', message, cause.code === 'EACCES' ? { cause, hint } : { cause });
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
 * The server that answers later, without a service behind it: what isn't a validation ends after or in its handshake, in
 * which it is shown a certificate of no name.
 */
async function answerTls({ port, ...place }: ListenPlace, pending: PendingChallenges) {
  const { createCredentials, listen, raw } = await import('@knsock/core');
  const { certificate: cert, key } = await createSelfSigned({ names: [NO_NAME] });
  const credentials = {
    current: createCredentials({ cert, key }),
    onChange: () => ignore,
    challengeFor: (servername: string) => pending.certificateFor(servername),
  };
  const server = await listen(
    {
      ...{ port, ...place, credentials },
      framing: { ...raw(), alpn: NO_NAME },
      handshakeTimeout: LONGEST,
      maxConnections: MOST_CONNECTIONS,
      onError: ignore,
    },
    (connection) => {
      connection.destroy();
    },
  ).catch((error: unknown) => {
    // The rest is about the options.
    if (!(error instanceof ConnectionError)) throw error;
    throw cannotListen(error.cause as NodeJS.ErrnoException, port, 'tls-alpn-01');
  });
  return () => server.close();
}

function ignore(): void {
  // A stranger's connection; its socket is destroyed.
}
