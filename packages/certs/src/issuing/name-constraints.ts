/**
 * Name constraints of an authority (RFC 5280 §4.2.1.10). A list of permitted names excludes the other kind of host name
 * as well: an authority permitted only `corp.example` signs for no IP address.
 */
import { InvalidOptionError } from '@knsock/core/errors';
import { checkOptions, texts, type OptionReaders } from '@knsock/core/options';
import { CertificateError } from '../errors.js';
import { addressBytes, canonicalAddress, checkDnsName, parseName, type CertificateName } from './names.js';

/**
 * Names as text: `corp.example` for it and everything below it, `10.0.0.0/8`; `@corp.example` for the mailboxes of
 * that one host, `@.corp.example` for those of every host below it; `spiffe://corp.example` and
 * `spiffe://.corp.example` likewise for URIs, of whatever scheme.
 */
export interface NameConstraintOptions {
  /** Permitted names, networks (CIDR), mailboxes (`@host`) and URIs; absent: all. */
  readonly permitted?: readonly string[] | undefined;
  /** Excluded ones, in the same form. */
  readonly excluded?: readonly string[] | undefined;
}

/** One subtree of names. */
export interface Subtree {
  readonly kind: CertificateName['kind'];
  /** A domain for DNS names (empty: all); a host, `.domain` or, for e-mail, a mailbox; `address/bits` for IP. */
  readonly base: string;
}

export interface NameConstraints {
  readonly permitted: readonly Subtree[];
  readonly excluded: readonly Subtree[];
}

const EVERY_ADDRESS: readonly Subtree[] = [
  { kind: 'ip', base: '0.0.0.0/0' },
  { kind: 'ip', base: '::/0' },
];
const EVERY_HOST: readonly Subtree[] = [{ kind: 'dns', base: '' }];

/**
 * Parses constraints and excludes the kinds that the permitted list leaves unrestricted.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NAME` for anything but a domain or network.
 */
export function parseNameConstraints(
  options: NameConstraintOptions | undefined,
): NameConstraints | undefined {
  if (options === undefined) return undefined;
  checkOptions(options, readers, 'nameConstraints');
  const permitted = (options.permitted ?? []).map(parseSubtree);
  const excluded = (options.excluded ?? []).map(parseSubtree);
  if (options.permitted?.length === 0 || (options.permitted ?? options.excluded) === undefined)
    throw limitsNothing();
  if (permitted.length === 0 && excluded.length === 0) return undefined;
  const names = (kind: Subtree['kind']) => permitted.some((subtree) => subtree.kind === kind);
  if (names('dns') && !names('ip')) excluded.push(...EVERY_ADDRESS);
  if (names('ip') && !names('dns')) excluded.push(...EVERY_HOST);
  return { permitted, excluded };
}

const readers: OptionReaders<NameConstraintOptions> = { permitted: texts, excluded: texts };

/** Empty constraints can't mean "nothing": a certificate without constraints is unrestricted. */
function limitsNothing(): InvalidOptionError {
  const message =
    'nameConstraints name nothing that is permitted; leave them out for an authority without limits';
  return new InvalidOptionError('nameConstraints', message);
}

/** Why an authority may not sign for a name; undefined if it may. */
export function constraintAgainst(constraints: NameConstraints, name: CertificateName): string | undefined {
  const sameKind = (subtree: Subtree) => subtree.kind === name.kind;
  const covers = (subtree: Subtree) => contains(subtree, name.value);
  const touches = (subtree: Subtree) => covers(subtree) || standsForNameIn(subtree, name);
  const excluded = constraints.excluded.filter(sameKind).find(touches);
  if (excluded !== undefined) return `is excluded by ${showSubtree(excluded)}`;
  const permitted = constraints.permitted.filter(sameKind);
  if (permitted.length === 0 || permitted.some(covers)) return undefined;
  return `is outside ${permitted.map(showSubtree).join(', ')}`;
}

/**
 * Why an authority may not sign for a subject: without a DNS name beside it, OpenSSL takes a common name that looks
 * like one for a host, and checks it against the constraints.
 */
export function constraintAgainstSubject(
  constraints: NameConstraints,
  commonName: string | undefined,
  names: readonly CertificateName[],
): string | undefined {
  const isHost = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i.test(commonName ?? '');
  if (!isHost || commonName === undefined || names.some(({ kind }) => kind === 'dns')) return undefined;
  return constraintAgainst(constraints, { kind: 'dns', value: commonName.toLowerCase() });
}

function parseSubtree(text: string): Subtree {
  const name = text.trim();
  if (name.includes('://'))
    return { kind: 'uri', base: checkHost(name.slice(name.indexOf('://') + 3), name) };
  if (name.includes('@')) return { kind: 'email', base: emailBase(name) };
  const network = parseNetwork(name);
  if (network !== undefined) return { kind: 'ip', base: network };
  if (name.startsWith('*')) throw refuse(name, 'needs no wildcard: a domain covers everything below it');
  return { kind: 'dns', base: checkDnsName(name.replace(/^\./, '')) };
}

function emailBase(text: string): string {
  const at = text.lastIndexOf('@');
  if (at === 0) return checkHost(text.slice(1), text);
  const { value } = parseName(text);
  return value;
}

/** One host, or with a dot before it every host below. */
function checkHost(host: string, text: string): string {
  if (host.includes('*')) throw refuse(text, 'needs a leading dot in place of a wildcard');
  return host.startsWith('.') ? `.${checkDnsName(host.slice(1))}` : checkDnsName(host);
}

function parseNetwork(text: string): string | undefined {
  const [host = '', bits, ...rest] = text.split('/');
  const address = canonicalAddress(host);
  if (address === undefined) {
    if (bits !== undefined) throw refuse(text, 'is not a network');
    return undefined;
  }
  const width = addressBytes(address).length * 8;
  const prefix = bits === undefined ? width : Number(bits);
  if (rest.length > 0 || bits === '' || !Number.isInteger(prefix) || prefix < 0 || prefix > width) {
    throw refuse(text, `needs a prefix of 0 to ${width} bits`);
  }
  const beyond = addressBytes(address).some((byte, index) => (byte & ~maskByte(prefix, index)) !== 0);
  if (beyond) throw refuse(text, `has bits set beyond its prefix of ${prefix}`);
  return `${address}/${prefix}`;
}

function contains(subtree: Subtree, value: string): boolean {
  switch (subtree.kind) {
    case 'dns':
      return subtree.base === '' || isBelow(value.replace(/^\*\./, ''), subtree.base);
    case 'ip':
      return networkContains(subtree.base, value);
    case 'uri':
      return isHostIn(new URL(value).hostname, subtree.base);
    case 'email':
      if (subtree.base.includes('@')) return value === subtree.base;
      return isHostIn(value.slice(value.lastIndexOf('@') + 1), subtree.base);
  }
}

/** A wildcard that also matches an excluded host would bypass the constraint. */
function standsForNameIn({ kind, base }: Subtree, { value }: CertificateName): boolean {
  if (kind !== 'dns' || !value.startsWith('*.') || !base.endsWith(value.slice(1))) return false;
  return !base.slice(0, -value.slice(1).length).includes('.');
}

function isHostIn(host: string, base: string): boolean {
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

function isBelow(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

function networkContains(network: string, address: string): boolean {
  const [base = '', bits = '0'] = network.split('/');
  const [inside, outside] = [addressBytes(address), addressBytes(base)];
  if (inside.length !== outside.length) return false;
  return inside.every((byte, index) => {
    const mask = maskByte(Number(bits), index);
    return (byte & mask) === ((outside[index] ?? 0) & mask);
  });
}

/** Byte `index` of the mask of a network with this prefix length. */
function maskByte(bits: number, index: number): number {
  const inThisByte = Math.min(8, Math.max(0, bits - index * 8));
  return (0xff << (8 - inThisByte)) & 0xff;
}

function showSubtree(subtree: Subtree): string {
  return subtree.base === '' ? 'every DNS name' : subtree.base;
}

function refuse(text: string, why: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_NAME', `the constraint "${text}" ${why}`);
}
