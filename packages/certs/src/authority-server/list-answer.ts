/** The HTTP response for a revocation list, with TLS or without. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PublishedList } from './published-list.js';

/** Seconds for which the response may be cached: short, so that revocations spread quickly. */
const FRESH_SECONDS = 5;

export async function sendList(
  response: ServerResponse,
  { headers, method }: IncomingMessage,
  list: PublishedList,
): Promise<void> {
  const { der, number } = await list.current();
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
