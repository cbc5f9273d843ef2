/**
 * HTTPS to an ACME server, which may be hostile: bounded answers, no redirects, a deadline for each.
 * Node's own client, since the server is verified by public CAs, or by those that the program names.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { withDeadline } from '@knsock/core/options';
import { directoryFailure } from './acme-error.js';
import { connectThrough } from './tunnel.js';

/** How the server is reached. */
export interface TransportOptions {
  /** CAs instead of the public ones; PEM. */
  readonly ca: string | Uint8Array | undefined;
  /** An HTTP proxy on the way; undefined: none. */
  readonly proxy: URL | undefined;
  /** For each answer, in ms. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** A server's answer. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  /** The server's clock as its header Date shows it, else this machine's. */
  readonly now: Date;
}

/** Far more than any answer of RFC 8555 has. */
const MOST_BYTES = 1_048_576;

/**
 * Sends one request.
 * @throws AcmeError `KNSOCK_ACME_DIRECTORY` where no usable answer comes in time
 */
export async function exchange(
  url: string,
  sent: { readonly method: 'GET' | 'HEAD' | 'POST'; readonly body?: string },
  { ca, proxy, timeout, signal }: TransportOptions,
): Promise<Reply> {
  const target = secureUrl(url);
  const late = () =>
    directoryFailure(
      `${target.host} didn't answer within ${timeout.toLocaleString('en')} ms${proxy === undefined ? '' : `, asked through the proxy ${proxy.host}`}`,
    );
  const reply = await withDeadline({
    ms: timeout,
    signal,
    late,
    run: (within) => send(target, sent, { ca, proxy }, within),
  });
  if (reply.status >= 300 && reply.status < 400)
    throw directoryFailure(`${target.host} answered with a redirect, which ACME has none of`);
  return reply;
}

/** @throws AcmeError `KNSOCK_ACME_DIRECTORY` for anything but an https URL. */
export function secureUrl(url: string): URL {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target?.protocol === 'https:' && target.username === '' && target.password === '') return target;
  throw directoryFailure(`an ACME server is reached by https URLs, not by ${url.slice(0, 200)}`);
}

async function send(
  url: URL,
  { method, body }: { readonly method: string; readonly body?: string },
  { ca, proxy }: Pick<TransportOptions, 'ca' | 'proxy'>,
  signal: AbortSignal,
): Promise<Reply> {
  const trusted = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : Buffer.from(ca) };
  const socket = proxy && (await connectThrough(proxy, url, trusted, signal));
  return new Promise((resolve, reject) => {
    const headers = {
      'user-agent': 'knsock',
      'accept-language': 'en',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
    };
    const way =
      socket === undefined ? { agent: false as const, ...trusted } : { createConnection: () => socket };
    const options = { method, headers, signal, ...way };
    const request = httpsRequest(url, options, (response) => {
      readReply(url, response).then(resolve, reject);
    });
    request.on('error', (cause: Error) => {
      reject(
        signal.aborted ? cause : directoryFailure(`${url.host} can't be reached: ${cause.message}`, cause),
      );
    });
    request.end(body);
  });
}

async function readReply(url: URL, response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BYTES) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw directoryFailure(`the answer of ${url.host} broke off`, cause);
  }
  if (size > MOST_BYTES)
    throw directoryFailure(
      `the answer of ${url.host} is over the limit of ${MOST_BYTES.toLocaleString('en')} bytes`,
    );
  const date = new Date(response.headers.date ?? '');
  return {
    status: response.statusCode ?? 0,
    headers: headersOf(response),
    text: Buffer.concat(chunks).toString('utf8'),
    now: Number.isNaN(date.getTime()) ? new Date() : date,
  };
}

function headersOf({ headers }: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  );
}
