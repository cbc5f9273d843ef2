/** What a monitor asks a running server, over plain HTTP: /health, /stats and /metrics. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import { parseAddress, showAddress } from '../address.js';
import { UsageError } from '../usage-error.js';

export interface StatusSource {
  /** False once the server drains: balancers then send nobody new. */
  readonly ready: () => boolean;
  readonly stats: () => object;
  /** The metrics, where they are more than the numbers of `stats`. */
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
          `the status page can’t listen on ${text}: ${error.message}`,
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

/** The numbers that go down again; all others only grow. */
const gauges: ReadonlySet<string> = new Set(['connections', 'pendingHandshakes']);

/** A server's counters in Prometheus' text format: nested names are joined by `_`, dates are seconds since 1970. */
export function prometheusOf(stats: object): string {
  return Object.entries(stats)
    .map(([name, value]: [string, unknown]) => metric(`knsock_server${snake(name)}`, value, gauges.has(name)))
    .join('');
}

function metric(name: string, value: unknown, isGauge: boolean): string {
  if (value instanceof Date) return metric(`${name}_seconds`, value.getTime() / 1_000, true);
  if (typeof value === 'number') return `# TYPE ${name} ${isGauge ? 'gauge' : 'counter'}\n${name} ${value}\n`;
  const nested = Object.entries(value ?? {});
  return nested.map(([key, one]: [string, unknown]) => metric(name + snake(key), one, isGauge)).join('');
}

function snake(name: string): string {
  return `_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`;
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
