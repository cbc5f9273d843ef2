import type { X509Certificate } from './certificate.js';
import { failure, shortened, showList, showSubject, type Failure } from './failure.js';
import { showGeneralName, type GeneralName } from './general-names.js';
import { isDnsName, normalizedEmail } from './host-name.js';
import { parseIp } from './ip-address.js';
import { attributeOid } from './oid.js';
import type { DistinguishedName } from './name.js';
import type { NameConstraints } from './subtrees.js';

/** Names times constraints compared for one path; beyond that it is an attack on the verifier. */
const MAX_COMPARISONS = 50_000;

/**
 * Applies every name constraint on a path to every certificate below it (RFC 5280 4.2.1.10 and 6.1.4), the anchor's
 * included. A self-issued certificate is exempt unless it is the leaf. A wildcard must lie in a permitted space as a
 * whole, and is excluded if any name that it stands for is.
 */
export function checkNameConstraints(path: readonly X509Certificate[]): Failure | undefined {
  const names = path.map((certificate, depth) =>
    depth > 0 && certificate.isSelfIssued ? [] : namesOf(certificate, depth),
  );
  let comparisons = 0;
  for (let depth = path.length - 1; depth > 0; depth--) {
    const constraints = path[depth]?.nameConstraints;
    if (!constraints) continue;
    const count = constraints.permitted.length + constraints.excluded.length;
    comparisons += count * names.slice(0, depth).reduce((sum, list) => sum + list.length, 0);
    if (comparisons > MAX_COMPARISONS) return failure('name-constraint', path, depth, tooMany(comparisons));
    const found = checkOne(path, depth, constraints, names);
    if (found) return found;
  }
  return undefined;
}

const tooMany = (comparisons: number): string =>
  `constrains names in more ways (${comparisons.toLocaleString('en')} comparisons) than are looked at (${MAX_COMPARISONS.toLocaleString('en')})`;

/** All names of a certificate that constraints speak of. */
function namesOf({ subject, subjectAltNames = [] }: X509Certificate, depth: number): GeneralName[] {
  const names = [...subjectAltNames];
  if (!subject.isEmpty) names.push({ kind: 'directory', value: subject });
  for (const value of subject.values(attributeOid.emailAddress)) names.push({ kind: 'email', value });
  const hasDnsName = subjectAltNames.some(({ kind }) => kind === 'dns');
  if (depth === 0 && !hasDnsName) names.push(...commonNamesAsHosts(subject));
  return names;
}

/** A common name never identifies a server here, but programs read it, so a CA's limits hold for it too. */
function commonNamesAsHosts(subject: DistinguishedName): GeneralName[] {
  const hosts = subject.commonNames.filter(
    (name) => name.includes('.') && isDnsName(name, { underscore: true, wildcard: true }),
  );
  return hosts.map((value) => ({ kind: 'dns', value }));
}

function checkOne(
  path: readonly X509Certificate[],
  issuerDepth: number,
  constraints: NameConstraints,
  names: readonly (readonly GeneralName[])[],
): Failure | undefined {
  const odd = [...constraints.permitted, ...constraints.excluded].find(
    (constraint) => !isProperConstraint(constraint),
  );
  if (odd)
    return failure(
      'name-constraint',
      path,
      issuerDepth,
      `has a malformed name constraint, ${showGeneralName(odd)}`,
    );
  const ca = showSubject(path[issuerDepth] as X509Certificate);
  for (let depth = issuerDepth - 1; depth >= 0; depth--) {
    for (const name of names[depth] ?? []) {
      const problem = violation(name, constraints);
      if (problem)
        return failure(
          'name-constraint',
          path,
          depth,
          `carries ${shortened(showGeneralName(name))}, ${problem} its CA ${ca}`,
        );
    }
  }
  return undefined;
}

/** What a name does to the constraints, as words that fit before "its CA …"; undefined where it keeps to them. */
function violation(name: GeneralName, constraints: NameConstraints): string | undefined {
  const permitted = constraints.permitted.filter(({ kind }) => kind === name.kind);
  const excluded = constraints.excluded.filter(({ kind }) => kind === name.kind);
  if (permitted.length + excluded.length === 0) return undefined;
  if (!isComparable(name)) return "which can't be held against the constraints of";
  if (excluded.some((constraint) => overlaps(name, constraint))) return 'which is excluded by';
  if (permitted.length === 0 || permitted.some((constraint) => isWithin(name, constraint))) return undefined;
  return `which is outside of what is permitted (${showList(permitted.map(showGeneralName))}) to`;
}

/** Whether a name has the form of its kind, so that comparing it means something. */
function isComparable(name: GeneralName): boolean {
  switch (name.kind) {
    case 'dns':
      return isDnsName(name.value, { wildcard: true, underscore: true });
    case 'email':
      return normalizedEmail(name.value) !== undefined;
    case 'uri':
      return hostOfUri(name.value) !== undefined;
    case 'ip':
    case 'directory':
      return true;
    default:
      return false;
  }
}

function isProperConstraint(constraint: GeneralName): boolean {
  switch (constraint.kind) {
    case 'dns':
      return constraint.value === '' || isDnsName(constraint.value, { underscore: true });
    case 'email':
      return normalizedEmail(constraint.value) !== undefined || isDomainOrDot(constraint.value);
    case 'uri':
      return isDomainOrDot(constraint.value);
    case 'ip':
      return isPrefixMask(constraint.bytes.subarray(constraint.bytes.length / 2));
    default:
      return true;
  }
}

/** `host`, `.domain` or, for all, nothing. */
function isDomainOrDot(value: string): boolean {
  return value === '' || isDnsName(value.startsWith('.') ? value.slice(1) : value, { underscore: true });
}

function isPrefixMask(mask: Buffer): boolean {
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits);
}

/** Whether every name that `name` stands for lies in the constraint's space. */
function isWithin(name: GeneralName, constraint: GeneralName): boolean {
  switch (name.kind) {
    case 'dns':
      return isSubdomain(withoutWildcard(name.value), textOf(constraint));
    case 'email':
      return matchesMailbox(normalizedEmail(name.value) ?? '', constraint);
    case 'uri':
      return matchesHost(hostOfUri(name.value) ?? '', textOf(constraint));
    case 'ip':
      return constraint.kind === 'ip' && isInSubnet(name.bytes, constraint.bytes);
    case 'directory':
      return constraint.kind === 'directory' && name.value.isWithin(constraint.value);
    default:
      return false;
  }
}

/** Whether any name that `name` stands for lies in the constraint's space. */
function overlaps(name: GeneralName, constraint: GeneralName): boolean {
  if (isWithin(name, constraint)) return true;
  if (name.kind !== 'dns' || !name.value.startsWith('*.')) return false;
  const parent = name.value.slice(1).toLowerCase();
  const excluded = textOf(constraint);
  return excluded.endsWith(parent) && !excluded.slice(0, -parent.length).includes('.');
}

const textOf = (constraint: GeneralName): string =>
  typeof constraint.value === 'string' ? constraint.value.toLowerCase() : '\0';

const withoutWildcard = (name: string): string =>
  (name.startsWith('*.') ? name.slice(2) : name).toLowerCase();

function isSubdomain(host: string, base: string): boolean {
  return base === '' || host === base || host.endsWith(`.${base}`);
}

/** For URIs and mailboxes `.domain` means hosts below it, `host` just that host. */
function matchesHost(host: string, constraint: string): boolean {
  return constraint === '' || (constraint.startsWith('.') ? host.endsWith(constraint) : host === constraint);
}

function matchesMailbox(mailbox: string, constraint: GeneralName): boolean {
  const exact = typeof constraint.value === 'string' ? normalizedEmail(constraint.value) : undefined;
  if (exact !== undefined) return mailbox === exact;
  return matchesHost(mailbox.slice(mailbox.indexOf('@') + 1), textOf(constraint));
}

/**
 * The host of a URI's authority; RFC 5280 refuses a constrained URI without one, or with an address. What RFC 3986
 * forbids before it has none: in `https://a.test\\@b.test/` browsers and `URL` find another host than its grammar.
 */
function hostOfUri(uri: string): string | undefined {
  const [, found] =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[\w.~!$&'()*+,;=:%-]*@)?([\w.-]+)(?::\d*)?(?:[/?#]|$)/i.exec(uri) ?? [];
  const host = found?.toLowerCase();
  return host && !parseIp(host) && isDnsName(host, { underscore: true }) ? host : undefined;
}

function isInSubnet(address: Buffer, subnet: Buffer): boolean {
  const size = address.length;
  if (subnet.length !== size * 2) return false;
  return address.every((byte, at) => ((byte ^ (subnet[at] as number)) & (subnet[size + at] as number)) === 0);
}
