/** The HTTP response for a revocation list, with TLS or without. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { noConnection, type FailureReporter } from '@knsock/core/options';
import type { PublishedList } from './published-list.js';

/** How long a client should wait where the store or the signer has failed. */
export const UNAVAILABLE = { 'Retry-After': '30' } as const;

/** Seconds for which the response may be cached: short, so that revocations spread quickly. */
const FRESH_SECONDS = 5;

/** Where there is no list to send, it reports why, and the client may come again. */
export async function sendList(
  response: ServerResponse,
  { headers, method }: IncomingMessage,
  list: PublishedList,
  reporter: FailureReporter,
): Promise<void> {
  const current = await list.current().catch((error: unknown) => {
    reporter.report(error, noConnection, 'the revocation list');
  });
  if (current === undefined) {
    response.writeHead(503, { ...UNAVAILABLE, 'Content-Type': 'text/plain' });
    response.end(method === 'HEAD' ? undefined : 'the authority has failed\n');
    return;
  }
  const { der, number } = current;
  const tag = `"${number}"`;
  const common = { ETag: tag, 'Cache-Control': `max-age=${FRESH_SECONDS}` };
  if (headers['if-none-match'] === tag) {
    response.writeHead(304, common).end();
    return;
  }
  response.writeHead(200, {
    ...common,
    'Content-Type': 'application/pkix-crl',
    'Content-Length': der.length,
  });
  response.end(method === 'HEAD' ? undefined : der);
}
