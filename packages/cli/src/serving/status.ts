/** The status page of a running server, over plain HTTP: /health, /stats and /metrics. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { parseAddress, showAddress } from '../address.js';
import { prometheusOf } from './server-metrics.js';
import { UsageError } from '../usage-error.js';

export interface StatusSource {
  /** False once the server drains: load balancers then send no new clients. */
  readonly ready: () => boolean;
  readonly stats: () => object;
  /** The metrics, if there are more than the numbers of `stats`. */
  readonly metrics?: () => string;
}

/** A status page that listens; `where` is its address. */
export interface StatusPage {
  readonly where: string;
  close(): void;
}

/** @param text host:port or unix:/path; without a host on loopback only */
export async function startStatus(text: string, source: StatusSource): Promise<StatusPage> {
  const address = parseAddress(text);
  const place = 'path' in address ? address : { host: address.host ?? '127.0.0.1', port: address.port };
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) => {
    answer(request.url ?? '/', response, source);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const hint = 'Choose another address for --status.';
      reject(
        new UsageError(
          `the status page can't listen on ${text}: ${error.message}`,
          hint,
          'KNSOCK_PORT_IN_USE',
        ),
      );
    });
    server.listen(place, resolve);
  });
  server.unref();
  return {
    where: whereOf(server),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(url: string, response: ServerResponse, { ready, stats, metrics }: StatusSource): void {
  const reply = (code: number, type: string, body: string): void => {
    response.writeHead(code, { 'content-type': type, connection: 'close' }).end(body);
  };
  if (url === '/health') reply(ready() ? 200 : 503, 'text/plain', ready() ? 'ok\n' : 'draining\n');
  else if (url === '/stats') reply(200, 'application/json', `${JSON.stringify(stats())}\n`);
  else if (url === '/metrics') reply(200, 'text/plain; version=0.0.4', metrics?.() ?? prometheusOf(stats()));
  else reply(404, 'text/plain', 'There are /health, /stats and /metrics.\n');
}

function whereOf(server: Server): string {
  const address = server.address();
  if (typeof address === 'string') return `unix:${address}`;
  return address === null ? '' : showAddress(address);
}
