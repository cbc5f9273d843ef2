/** TLS in, plain out, as plainly as Node allows: two pipes. */
import { connect } from 'node:net';
import tls from 'node:tls';
import type { Certificates } from '../certificates.js';
import { listenOn, LOOPBACK, serverOptions } from '../tls-setup.js';

export interface TunnelOptions {
  readonly files: Certificates;
  readonly target: number;
}

export function serveTunnel({ files, target }: TunnelOptions): Promise<number> {
  const server = tls.createServer(serverOptions(files, false), (client) => {
    const upstream = connect({ port: target, host: LOOPBACK, noDelay: true });
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  server.on('tlsClientError', () => undefined);
  return listenOn(server);
}
