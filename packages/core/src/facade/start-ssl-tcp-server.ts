/** kn-sock's two servers, on `listen` and the raw framing: either side of the wire may be kn-sock. */
import type { SecureConnection } from '../connection/connection-types.js';
import { InvalidOptionError } from '../errors/index.js';
import { listen } from '../server/listen.js';
import type { SecureServer, ServerAddress } from '../server/secure-server.js';
import { closeReadingAway } from './close-reading-away.js';
import { asSslConnection, type SslConnection } from './ssl-connection.js';
import { parseSslServer, type SslServerOptions } from './ssl-server-options.js';

/** Where a client calls from. */
export interface ClientAddress {
  /** The client's IP address. */
  readonly address: string;
  /** The client's port. */
  readonly port: number;
}

/** A server on a port. */
export interface SslServer extends SecureServer {
  /** Where it listens. */
  readonly address: Extract<ServerAddress, { port: number }>;
}

/** Takes a piece of data as it came (raw bytes have no message boundaries) and answers on the connection. */
export type SslHandler = (data: Buffer, addr: ClientAddress, connection: SslConnection) => unknown;

/**
 * Serves each connection once, as kn-sock does: the first data that comes goes to `handler`, and when that is done
 * what it sent is delivered and the connection ends. Connections don't wait for one another. With `keepOpen` every
 * piece goes to the handler, one after the other, until the client ends.
 * @throws InvalidOptionError, CredentialsError, PortInUseError, ConnectionError
 */
export async function startSslTcpServer(
  port: number,
  handler: SslHandler,
  options: SslServerOptions = {},
): Promise<SslServer> {
  return await start(port, handler, options, { keepOpen: false });
}

/** As `startSslTcpServer`, with `keepOpen` on by default. */
export async function startAsyncSslTcpServer(
  port: number,
  handler: SslHandler,
  options: SslServerOptions = {},
): Promise<SslServer> {
  return await start(port, handler, options, { keepOpen: true });
}

async function start(
  port: number,
  handler: SslHandler,
  options: SslServerOptions,
  defaults: { keepOpen: boolean },
): Promise<SslServer> {
  if (typeof handler !== 'function') {
    throw new InvalidOptionError('handler', 'the handler must be a function (data, addr, connection)');
  }
  const serve = (options.keepOpen ?? defaults.keepOpen) ? serveAll : serveOnce;
  const listening = listen(await parseSslServer(port, options), (connection) => serve(connection, handler));
  return (await listening) as SslServer;
}

async function serveOnce(connection: SecureConnection, handler: SslHandler): Promise<void> {
  const data = await connection.receive();
  if (data === null) return;
  await handler(data, addressOf(connection), asSslConnection(connection));
  closeReadingAway(connection);
}

async function serveAll(connection: SecureConnection, handler: SslHandler): Promise<void> {
  const addr = addressOf(connection);
  const ssl = asSslConnection(connection);
  for await (const data of connection) await handler(data, addr, ssl);
}

/** A listener on a port has only peers with an address. */
function addressOf({ remote }: SecureConnection): ClientAddress {
  return { address: remote?.address ?? '', port: remote?.port ?? 0 };
}
