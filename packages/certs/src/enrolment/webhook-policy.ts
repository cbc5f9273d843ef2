/** A policy decided by a web service. */
import {
  milliseconds,
  readAllOptions,
  record,
  text,
  withDeadline,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import type { EnrolmentPolicy, EnrolmentRequest, PolicyDecision } from './policy.js';

/** Options of `webhookPolicy`. */
export interface WebhookPolicyOptions {
  /** `https:`, or `http:` to this machine only: over the network, an attacker could answer in its place. */
  readonly url: string;
  /** Request headers, such as `{ authorization: 'Bearer …' }`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Timeout for its answer, in ms; default 5,000. */
  readonly timeout?: number | undefined;
}

/** How each of them is read, and its default. */
export const webhookOptions = {
  url: text,
  headers: record,
  timeout: withDefault(milliseconds, 5_000),
} as const satisfies OptionReaders<WebhookPolicyOptions>;

const MOST_BYTES = 65_536;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Asks a web service: POSTs an `EnrolmentRequest` as JSON (the certificate as PEM) and expects a `PolicyDecision`.
 * Redirects aren't followed; any other answer refuses the request, and the client may retry.
 * @throws InvalidOptionError for a URL whose answers could be forged on the way
 */
export function webhookPolicy(options: WebhookPolicyOptions): EnrolmentPolicy {
  const { timeout } = readAllOptions(options, webhookOptions);
  const { headers } = options;
  const url = checkUrl(options.url);
  return (request, { signal }) =>
    withDeadline({
      ms: timeout,
      signal,
      run: (within) => ask(url, headers, request, within),
      late: () => new Error(`${url.host} didn't answer within ${timeout.toLocaleString('en')} ms`),
    });
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>> | undefined,
  request: EnrolmentRequest,
  signal: AbortSignal,
): Promise<PolicyDecision> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ ...request, certificate: request.certificate?.pem }),
    redirect: 'error',
    signal,
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${url.host} answered with status ${response.status}`);
  }
  return JSON.parse(await bodyOf(response)) as PolicyDecision;
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MOST_BYTES)
      throw new Error(`the answer is over the limit of ${MOST_BYTES.toLocaleString('en')} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function checkUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.test(url.hostname));
  if (url !== undefined && isSafe) return url;
  throw new InvalidOptionError(
    'url',
    `a policy is asked over https:, or http: on this machine, not at ${text}`,
  );
}
