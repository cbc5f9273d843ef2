/**
 * Headers by which proxies tell whose certificate they saw. A client can write them as well as any proxy, and here the
 * socket knows better: they are removed before a program sees the request.
 */
import type { IncomingMessage } from 'node:http';

/** RFC 9440, Envoy, Traefik, nginx, HAProxy and Apache by custom, AWS, Azure, and names of our own. */
const starts = [
  'client-cert',
  'x-client-cert',
  'x-client-verif',
  'x-client-dn',
  'x-client-subject',
  'x-forwarded-client-',
  'x-forwarded-tls-client-',
  'x-forwarded-ssl-client-',
  'ssl-client',
  'x-ssl-client',
  'x-ssl-cert',
  'tls-client',
  'x-tls-client',
  'x-mtls-',
  'x-amzn-mtls-',
  'x-arr-clientcert',
  'x-peer-cert',
  'x-forwarded-peer',
  'knsock-',
  'x-knsock-',
];

/** Whether a header claims a client's identity; gateways read `_` as `-`, so it counts as one here. */
export function claimsIdentity(name: string): boolean {
  let claims = judged.get(name);
  if (claims !== undefined) return claims;
  claims = judge(name);
  if (judged.size < MOST_JUDGED) judged.set(name, claims);
  return claims;
}

/** The same few names come with every request; clients choose them, so it is bounded. */
const judged = new Map<string, boolean>();
const MOST_JUDGED = 1_000;

function judge(name: string): boolean {
  const plain = name.toLowerCase().replaceAll('_', '-');
  return starts.some((start) => plain.startsWith(start));
}

/** Removes the headers that claim an identity, from every form in which Node shows headers. */
export function removeIdentityHeaders(message: IncomingMessage): void {
  const { rawHeaders } = message;
  const claimed = claims(rawHeaders);
  if (claimed.length === 0) return;
  // Node makes these from as many raw headers as came, when they are first read: that must be now.
  const { headers, headersDistinct } = message;
  message.rawHeaders = rawHeaders.filter((_, index) => !claimsIdentity(rawHeaders[index & ~1] as string));
  for (const name of claimed) {
    Reflect.deleteProperty(headers, name.toLowerCase());
    Reflect.deleteProperty(headersDistinct, name.toLowerCase());
  }
}

function claims(rawHeaders: readonly string[]): readonly string[] {
  let found = NONE;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (claimsIdentity(name)) found = [...found, name];
  }
  return found;
}
const NONE: readonly string[] = [];
