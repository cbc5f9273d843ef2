/** `listen` and `serve`; their code is loaded by the first call, so programs that only connect never load it. */
import type { RequestHandler } from '../connection/connection-types.js';
import type { Payload } from '../framing/framing.js';
import type { ListenOptions } from './config.js';
import type { SecureServer } from './secure-server.js';
import type { ConnectionHandler } from './server.js';

let loaded: typeof import('./listen.js') | undefined;

/**
 * Listens, and calls `handler` with each connection whose peer was admitted. The connection outlives the handler; a
 * handler that throws or rejects ends its connection and nothing else.
 * @throws InvalidOptionError, CredentialsError, PortInUseError, ConnectionError
 */
export async function listen<In = Buffer, Out = Payload>(
  options: ListenOptions<In, Out>,
  handler: ConnectionHandler<In, Out>,
): Promise<SecureServer<In, Out>> {
  loaded ??= await import('./listen.js');
  return await loaded.listen(options, handler);
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
  loaded ??= await import('./listen.js');
  return await loaded.serve(options, handler);
}
