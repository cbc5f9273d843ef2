/** What the scenarios of HTTP share: a world, an HTTP server in it, and bare requests over node:tls. */
import type { Server } from 'node:http';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { serveHttp, type HttpListener, type HttpServer, type ServeHttpOptions } from '@knsock/core/http';
import { createWorld, portOf, type World } from '../support/world.js';
import { bare } from '../support/raw-tls.js';

export { portOf };

/** One for a file: making it costs more than most scenarios. */
export const world: World = await createWorld();

export function serveApp(
  app: HttpListener | Server,
  options: Partial<ServeHttpOptions> = {},
): Promise<HttpServer> {
  return serveHttp({ port: 0, host: '127.0.0.1', credentials: world.server, ...options }, app);
}

/** A bare TLS client that has said nothing yet. */
export async function dialBare(
  server: HttpServer,
  options: ConnectionOptions = { ALPNProtocols: ['http/1.1'] },
): Promise<TLSSocket> {
  const socket = connectTls({
    host: '127.0.0.1',
    servername: 'localhost',
    ...bare(world.anonymous),
    ...options,
    port: portOf(server),
  });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** All that comes until the other side ends. */
export async function readAll(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  if (!socket.closed) await once(socket, 'close');
  return text;
}

/** What comes until it contains `part`. */
export async function readUntil(socket: TLSSocket, part: string): Promise<string> {
  let text = '';
  while (!text.includes(part)) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) await Promise.race([once(socket, 'readable'), ended(socket, text)]);
    else text += chunk.toString('latin1');
  }
  return text;
}

async function ended(socket: TLSSocket, text: string): Promise<never> {
  await once(socket, 'close');
  throw new Error(`the server ended after '${text}'`);
}
