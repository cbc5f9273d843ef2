/** A whole HTTP response with its length: some EST clients, such as strongSwan's, read no chunked body. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Node leaves the body out where HEAD is answered. */
export function answer(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Uint8Array,
): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

export function answerText(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  text: string,
): void {
  answer(response, status, { 'Content-Type': 'text/plain', ...headers }, `${text}\n`);
}
