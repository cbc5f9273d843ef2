/**
 * What an authority may sign for (RFC 5280 §4.2.1.10). A list of permitted names closes the other kind of host name
 * as well: an authority permitted `corp.example` alone signs for no IP address.
 */
import { CertificateError } from './errors.js';
import { addressBytes, canonicalAddress, checkDnsName, type CertificateName } from './names.js';

/** Names as text: `corp.example` and everything below it, `10.0.0.0/8`, `@corp.example`, `spiffe://corp.example`. */
export interface NameConstraintOptions {
  readonly permitted?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
}

/** One subtree of names. */
export interface Subtree {
  readonly kind: CertificateName['kind'];
  /** A domain for DNS names and URIs (empty: all), a domain or mailbox for e-mail, `address/bits` for IP. */
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
 * Reads constraints and closes what the permitted list leaves open.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NAME` for what is no domain or network.
 */
export function parseNameConstraints(
  options: NameConstraintOptions | undefined,
): NameConstraints | undefined {
  const permitted = (options?.permitted ?? []).map(parseSubtree);
  const excluded = (options?.excluded ?? []).map(parseSubtree);
  if (permitted.length === 0 && excluded.length === 0) return undefined;
  const names = (kind: Subtree['kind']) => permitted.some((subtree) => subtree.kind === kind);
  if (names('dns') && !names('ip')) excluded.push(...EVERY_ADDRESS);
  if (names('ip') && !names('dns')) excluded.push(...EVERY_HOST);
  return { permitted, excluded };
}

/** Why an authority may not sign for a name; undefined where it may. */
export function constraintAgainst(constraints: NameConstraints, name: CertificateName): string | undefined {
  const sameKind = (subtree: Subtree) => subtree.kind === name.kind;
  const covers = (subtree: Subtree) => contains(subtree, name.value);
  const excluded = constraints.excluded.filter(sameKind).find(covers);
  if (excluded !== undefined) return `is excluded by ${showSubtree(excluded)}`;
  const permitted = constraints.permitted.filter(sameKind);
  if (permitted.length === 0 || permitted.some(covers)) return undefined;
  return `is outside ${permitted.map(showSubtree).join(', ')}`;
}

function parseSubtree(text: string): Subtree {
  const name = text.trim();
  if (name.includes('://')) return { kind: 'uri', base: checkDnsName(name.slice(name.indexOf('://') + 3)) };
  if (name.includes('@')) return { kind: 'email', base: emailBase(name) };
  const network = parseNetwork(name);
  if (network !== undefined) return { kind: 'ip', base: network };
  if (name.startsWith('*')) throw refuse(name, 'needs no wildcard: a domain covers everything below it');
  return { kind: 'dns', base: checkDnsName(name.replace(/^\./, '')) };
}

function emailBase(text: string): string {
  const at = text.lastIndexOf('@');
  const domain = checkDnsName(text.slice(at + 1));
  return at === 0 ? domain : `${text.slice(0, at)}@${domain}`;
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
      return new URL(value).hostname === subtree.base;
    case 'email':
      return subtree.base.includes('@') ? value === subtree.base : value.endsWith(`@${subtree.base}`);
  }
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

/** Byte `index` of the mask of a network with so many bits. */
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
