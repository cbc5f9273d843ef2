/**
 * The revocation list over plain HTTP, at the location that certificates name (RFC 5280 §8: over HTTPS, a client would
 * need a list to verify the server it fetches the list from). The list is signed, and nothing else is served here.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { isIPv6 } from 'node:net';
import { EasySocketError } from '@knsock/core/errors';
import type { FailureReporter } from '@knsock/core/options';
import { answerText } from './answer.js';
import { sendList } from './list-answer.js';
import type { PublishedList } from './published-list.js';

export interface PlainList {
  readonly url: string;
  close(): Promise<void>;
}

const PATH = '/ca.crl';
const DEADLINE_MS = 5_000;
const MOST_CONNECTIONS = 1_000;

/**
 * @param name under which others reach this machine
 * @throws EasySocketError `KNSOCK_PORT_IN_USE`, `KNSOCK_PERMISSION_DENIED` or `KNSOCK_ADDRESS_NOT_AVAILABLE`
 */
export async function servePlainList(
  list: PublishedList,
  { port, host }: { readonly port: number; readonly host?: string | undefined },
  name: string,
  reporter: FailureReporter,
): Promise<PlainList> {
  const bounds = { requestTimeout: DEADLINE_MS, headersTimeout: DEADLINE_MS, keepAliveTimeout: DEADLINE_MS };
  const server = createServer(bounds, (request, response) => {
    const isList = request.url === PATH && (request.method === 'GET' || request.method === 'HEAD');
    if (!isList) {
      answerText(response, 404, {}, 'there is nothing here');
      return;
    }
    void sendList(response, request, list, reporter);
  });
  server.maxConnections = MOST_CONNECTIONS;
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    throw cannotListen(`${host ?? ''}:${port}`, cause);
  }
  const address = server.address();
  const own = typeof address === 'object' ? (address?.port ?? port) : port;
  return {
    url: `http://${isIPv6(name) ? `[${name}]` : name}:${own}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function cannotListen(where: string, cause: unknown): EasySocketError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: 'KNSOCK_PORT_IN_USE',
    EACCES: 'KNSOCK_PERMISSION_DENIED',
  };
  const why = `the revocation list can't be served on ${where}: ${message}`;
  return new EasySocketError(known[code] ?? 'KNSOCK_ADDRESS_NOT_AVAILABLE', why, { cause });
}
