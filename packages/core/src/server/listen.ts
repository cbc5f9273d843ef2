/** The two ways to serve: by connection, or by request. */
import type { RequestHandler } from '../connection/connection-types.js';
import { InvalidOptionError } from '../errors/index.js';
import type { Payload } from '../framing/framing.js';
import { parseListen, type ListenOptions } from './config.js';
import type { SecureServer } from './secure-server.js';
import { Server, type ConnectionHandler } from './server.js';

/**
 * Listens, and calls `handler` with each connection whose peer was admitted. The connection outlives the handler; a
 * handler that throws or rejects ends its connection and nothing else.
 * @throws InvalidOptionError, CredentialsError, PortInUseError, ConnectionError
 */
export async function listen<In = Buffer, Out = Payload>(
  options: ListenOptions<In, Out>,
  handler: ConnectionHandler<In, Out>,
): Promise<SecureServer<In, Out>> {
  requireFunction(handler);
  const server = new Server<In, Out>(parseListen(options), { connection: handler, request: null });
  await server.listen();
  return server;
}

/**
 * Listens, and answers each request with the result of `handler`. On framings without ids every message is a request,
 * and answers go out in the order of the requests.
 * @throws InvalidOptionError, CredentialsError, PortInUseError, ConnectionError
 */
export async function serve<In = Buffer, Out = Payload>(
  options: ListenOptions<In, Out>,
  handler: RequestHandler<In, Out>,
): Promise<SecureServer<In, Out>> {
  requireFunction(handler);
  const server = new Server<In, Out>(parseListen(options), { connection: null, request: handler });
  await server.listen();
  return server;
}

function requireFunction(handler: unknown): void {
  if (typeof handler !== 'function')
    throw new InvalidOptionError('handler', 'the handler must be a function');
}
