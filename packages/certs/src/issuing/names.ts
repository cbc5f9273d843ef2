/**
 * The names of a certificate, given as plain text: an IP address, a URI with '://', an e-mail address with
 * '@', anything else is a DNS name. International names become punycode, addresses their shortest form.
 */
import { isIP } from 'node:net';
import { asciiHostName } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';

/** A name in the form used in the certificate. */
export interface CertificateName {
  readonly kind: 'dns' | 'ip' | 'uri' | 'email';
  readonly value: string;
}

/**
 * Reads one name.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NAME` if no certificate may contain it.
 */
export function parseName(text: string): CertificateName {
  const name = text.trim();
  if (name.includes('://')) return { kind: 'uri', value: checkUri(name) };
  if (name.includes('@')) return { kind: 'email', value: checkEmail(name) };
  const address = canonicalAddress(name);
  return address === undefined ? { kind: 'dns', value: checkDnsName(name) } : { kind: 'ip', value: address };
}

/** Parses all names, without duplicates, in their order. */
export function parseNames(texts: readonly string[]): CertificateName[] {
  const seen = new Map<string, CertificateName>();
  for (const name of texts.map(parseName)) seen.set(`${name.kind}:${name.value}`, name);
  return [...seen.values()];
}

/** A DNS name in lower case and punycode; a wildcard may be its whole first label (RFC 6125 §6.4.3). */
export function checkDnsName(name: string): string {
  const wildcard = name.startsWith('*.');
  const base = (wildcard ? name.slice(2) : name).replace(/\.$/, '');
  if (base.includes('*')) throw refuse(name, 'may have * only as its whole first label');
  const ascii = asciiHostName(base);
  if (ascii === '') throw refuse(name, 'is not a DNS name');
  // "1.2.3" and "0x7f.1" would be parsed as addresses by some and as names by others.
  if (isIP(ascii) !== 0 || /(^|\.)\d+$/.test(ascii)) throw refuse(name, 'looks like a damaged IP address');
  if (ascii.length > 253) throw refuse(name, `has ${ascii.length} characters, over the limit of 253`);
  for (const label of ascii.split('.')) checkLabel(name, label);
  return wildcard ? `*.${ascii}` : ascii;
}

/** An address without brackets, in its shortest form; undefined for other text. */
export function canonicalAddress(text: string): string | undefined {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (bare.includes('%')) throw refuse(text, 'names a network interface, which no certificate can');
  const version = isIP(bare);
  if (version === 0) return undefined;
  return version === 4 ? bare : new URL(`http://[${bare}]`).hostname.slice(1, -1);
}

/** The 4 or 16 bytes of an address in the form that `canonicalAddress` gives. */
export function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function checkLabel(name: string, label: string): void {
  if (label.length > 63) {
    throw refuse(name, `has a label of ${label.length} characters, over the limit of 63`);
  }
  if (!/^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/.test(label)) throw refuse(name, 'is not a DNS name');
}

function checkUri(text: string): string {
  if (!URL.canParse(text)) throw refuse(text, 'is not a URI');
  // RFC 3986 §2 doesn't allow these, and parsers disagree on what a backslash means.
  if (!/^[^\0-\x20"<>\\^`{|}\x7f-\uffff]+$/.test(text))
    throw refuse(text, 'has characters that must be percent-encoded');
  if (text.startsWith('spiffe://')) checkSpiffe(text);
  return text;
}

/** SPIFFE-ID §2: a trust domain and a path, nothing else. */
function checkSpiffe(text: string): void {
  if (!/^spiffe:\/\/[a-z0-9._-]{1,255}(\/[a-zA-Z0-9._-]+)*$/.test(text) || /\/\.\.?(\/|$)/.test(text)) {
    throw refuse(text, 'is not a SPIFFE ID (spiffe://trust-domain/path)');
  }
}

function checkEmail(text: string): string {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, at);
  // Names outside ASCII before the @ need SmtpUTF8Mailbox (RFC 9598), which hardly any program supports.
  if (!/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}$/.test(local)) throw refuse(text, 'is not an e-mail address');
  const domain = checkDnsName(text.slice(at + 1));
  if (domain.startsWith('*')) throw refuse(text, 'may have no wildcard: a mailbox is at one domain');
  return `${local}@${domain}`;
}

function refuse(name: string, why: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NAME', `the name "${name}" ${why}`);
}
