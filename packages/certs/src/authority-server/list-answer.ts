/** The HTTP response for a revocation list, with TLS or without. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { noConnection, type FailureReporter } from '@knsock/core/options';
import { answer, answerText } from './answer.js';
import type { PublishedList } from './published-list.js';

/** How long a client should wait where the store or the signer has failed. */
export const UNAVAILABLE = { 'Retry-After': '30' } as const;

/** Seconds for which the response may be cached: short, so that revocations spread quickly. */
const FRESH_SECONDS = 5;

/** Where there is no list to send, it reports why, and the client may come again. */
export async function sendList(
  response: ServerResponse,
  { headers }: IncomingMessage,
  list: PublishedList,
  reporter: FailureReporter,
): Promise<void> {
  const current = await list.current().catch((error: unknown) => {
    reporter.report(error, noConnection, 'the revocation list');
  });
  if (current === undefined) {
    answerText(response, 503, UNAVAILABLE, 'the authority has failed');
    return;
  }
  const { der, number } = current;
  const tag = `"${number}"`;
  const common = { ETag: tag, 'Cache-Control': `max-age=${FRESH_SECONDS}` };
  if (headers['if-none-match'] === tag) {
    response.writeHead(304, common).end();
    return;
  }
  answer(response, 200, { ...common, 'Content-Type': 'application/pkix-crl' }, der);
}
