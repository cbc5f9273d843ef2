import { isAscii } from 'node:buffer';
import { domainToASCII } from '../node/url.js';
import type { X509Certificate } from './certificate.js';
import { parseIp, showIp } from './ip-address.js';

/** What a peer should be called; the kind follows from its form: an IP address, with `://` a URI, with `@` an e-mail, else DNS. */
export type ExpectedName = { readonly kind: 'dns' | 'ip' | 'uri' | 'email'; readonly value: string };

/**
 * Whether a certificate is for that name (RFC 9525): subject alternative names alone count, never the common name;
 * a wildcard stands for exactly one whole leftmost label with at least two labels after it; IP addresses are compared
 * as bytes with IP names only; an international name is compared in its ASCII form.
 */
export function matchesName(certificate: X509Certificate, name: string): boolean {
  const expected = parseExpectedName(name);
  if (!expected) return false;
  return (certificate.subjectAltNames ?? []).some((alternative) => {
    if (alternative.kind !== expected.kind) return false;
    if (alternative.kind === 'dns') return matchesDns(alternative.value, expected.value);
    if (alternative.kind === 'email') return normalizedEmail(alternative.value) === expected.value;
    return alternative.value === expected.value;
  });
}

/** Reads an expected name; undefined where it can't be a name. */
export function parseExpectedName(name: string): ExpectedName | undefined {
  const ip = parseIp(name);
  if (ip) return { kind: 'ip', value: showIp(ip) };
  if (name.includes('://')) return { kind: 'uri', value: name };
  if (name.includes('@')) return toExpected('email', normalizedEmail(name));
  return toExpected('dns', normalizedDns(name));
}

/** Whether a DNS name has the form that hosts have; `wildcard` admits `*` as its whole leftmost label. */
export function isDnsName(name: string, allow: { wildcard?: boolean; underscore?: boolean } = {}): boolean {
  const host = allow.wildcard && name.startsWith('*.') ? name.slice(2) : name;
  const label = allow.underscore ? LABEL : STRICT_LABEL;
  return host.length <= 253 && !parseIp(host) && host.split('.').every((part) => label.test(part));
}

/** A mailbox with its domain in lower case; undefined where it isn't one. */
export function normalizedEmail(address: string): string | undefined {
  const [local, domain, ...rest] = address.split('@');
  if (!local || domain === undefined || rest.length > 0 || !isDnsName(domain)) return undefined;
  return `${local}@${domain.toLowerCase()}`;
}

// Underscores aren't host names by RFC 1034, yet Compose services and Windows hosts have them.
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/i;
const STRICT_LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;

/**
 * A host name in its ASCII form (IDNA), such as `xn--bcher-kva.example`; empty where it is none. Node's `domainToASCII`
 * reads a URL's host: of `a.test/b` it takes `a.test`, it decodes `a%2etest`, and leaves tabs out.
 */
export function asciiHostName(name: string): string {
  return NOT_IN_NAMES.test(name) ? '' : domainToASCII(name);
}

/** ASCII but letters, digits, hyphen, full stop and underscore. */
const NOT_IN_NAMES = /[^a-z0-9._\u0080-\u{10ffff}-]/iu;

function toExpected(kind: 'dns' | 'email', value: string | undefined): ExpectedName | undefined {
  return value === undefined ? undefined : { kind, value };
}

/** Only names with other than ASCII go through IDNA: its URL rules would read `0x7f.1` as an address. */
function normalizedDns(name: string): string | undefined {
  const isInternational = !isAscii(Buffer.from(name));
  const ascii = isInternational ? asciiHostName(name) : name.toLowerCase();
  const relative = ascii.endsWith('.') ? ascii.slice(0, -1) : ascii;
  return isDnsName(relative, { underscore: true }) ? relative : undefined;
}

/** @param host a name that `normalizedDns` made */
function matchesDns(pattern: string, host: string): boolean {
  if (!isDnsName(pattern, { wildcard: true, underscore: true })) return false;
  const presented = pattern.toLowerCase();
  if (!presented.startsWith('*.')) return presented === host;
  const parent = presented.slice(1);
  const isBroadEnough = parent.indexOf('.', 1) > 0;
  return (
    isBroadEnough &&
    host.endsWith(parent) &&
    !host.slice(0, -parent.length).includes('.') &&
    host.length > parent.length
  );
}
