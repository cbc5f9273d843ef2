/** When the CA suggests to renew (ACME Renewal Information, RFC 9773). */
import type { X509Certificate } from '@knsock/core/x509';
import { directoryFailure } from './acme-error.js';
import { fieldsOf, parseJson } from './json.js';
import { boundedRetryAfter } from './retry-after.js';
import { exchange, type Reply, type TransportOptions } from './transport.js';

/** A suggestion. */
export interface RenewalSuggestion {
  /** When to renew, by this machine's clock. */
  readonly dueAt: Date;
  /** The page that says why, where the CA has one. */
  readonly explanationUrl: string | undefined;
  /** Ms until the suggestion may have changed. */
  readonly lookAgainIn: number;
}

const HOUR = 3_600_000;
/** RFC 9773 §4.3.2: within a minute and a day; §4.3.3: six hours after a failure. */
const POLL = { least: 60_000, most: 24 * HOUR, otherwise: 6 * HOUR };
/** How long to wait where there was no usable answer. */
export const AFTER_FAILURE = POLL.otherwise;
/** What a suggestion leaves of the life at least, as a fraction: a later one would come to an expired certificate. */
const LEAST_LEFT = 1 / 20;

/** The certificate's identifier (RFC 9773 §4.1); undefined where it names no key of its issuer. */
export function renewalId({ authorityKeyIdentifier, serialBytes }: X509Certificate): string | undefined {
  const key = authorityKeyIdentifier?.keyIdentifier;
  return key === undefined ? undefined : `${key.toString('base64url')}.${serialBytes.toString('base64url')}`;
}

/**
 * Asks for the suggestion.
 * @param url the directory's renewalInfo
 * @throws AcmeError `KNSOCK_ACME_DIRECTORY` where there is no usable answer
 */
export async function fetchSuggestion(
  url: string,
  certificate: X509Certificate,
  id: string,
  transport: TransportOptions,
): Promise<RenewalSuggestion> {
  const reply = await exchange(`${url.replace(/\/$/, '')}/${id}`, { method: 'GET' }, transport);
  if (reply.status !== 200)
    throw directoryFailure(
      `${new URL(url).host} answered the request for renewal information with ${reply.status}`,
    );
  return readSuggestion(reply, certificate, new Date());
}

/** Reads an answer; pure. @throws AcmeError `KNSOCK_ACME_DIRECTORY` */
export function readSuggestion(reply: Reply, certificate: X509Certificate, now: Date): RenewalSuggestion {
  const { suggestedWindow, explanationURL } = fieldsOf(parseJson(reply.text));
  const { start, end } = fieldsOf(suggestedWindow);
  const [from, to] = [Date.parse(String(start)), Date.parse(String(end))];
  // A window whose end is not after its start is treated as none (RFC 9773 §4.2).
  if (!(to > from)) throw directoryFailure('the renewal information has no window');
  // The window is by the server's clock, which may differ from ours.
  const ahead = reply.now.getTime() - now.getTime();
  const { notBefore, notAfter } = certificate;
  const latest = notAfter.getTime() - (notAfter.getTime() - notBefore.getTime()) * LEAST_LEFT;
  const selected = from + (to - from) * placeIn(certificate) - ahead;
  return {
    dueAt: new Date(Math.min(selected, latest)),
    explanationUrl: typeof explanationURL === 'string' ? explanationURL.slice(0, 500) : undefined,
    lookAgainIn: boundedRetryAfter(reply.headers['retry-after'], reply.now, POLL),
  };
}

/** Where in the window, from 0 to 1: evenly spread over certificates, and the same whenever and wherever it is asked. */
function placeIn({ fingerprint256 }: X509Certificate): number {
  return Number.parseInt(fingerprint256.slice(8, 16), 16) / 2 ** 32;
}
