/**
 * `authorize`: which of the peers whose certificates are valid may come in. Rules are data: values in a field mean any
 * of them, fields mean all of them, and a rule without fields refuses every peer.
 */
import { InvalidOptionError } from '../errors/index.js';
import { record } from '../options/index.js';

/** What rules look at. */
interface Claims {
  readonly commonNames: readonly string[];
  readonly organizationalUnits: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly spkiPin: string;
}

/** Values in a field: any of; fields: all of. */
export interface AuthorizeRule {
  /** Common names of the subject, compared exactly. */
  commonNames?: readonly string[];
  /** Organisational units of the subject, compared exactly. */
  organizationalUnits?: readonly string[];
  /** DNS names of the certificate, without case. */
  dnsNames?: readonly string[];
  /** URIs of the certificate, such as SPIFFE IDs, compared exactly. */
  uris?: readonly string[];
  /** IP addresses of the certificate, without case. */
  ipAddresses?: readonly string[];
  /** `sha256/…` of the public key. */
  spkiPins?: readonly string[];
}

/** A rule, or several of which one must admit the peer. */
export type AuthorizeRules = AuthorizeRule | { any: readonly AuthorizeRule[] };

type Field = keyof AuthorizeRule;
const fields: Readonly<Record<Field, (claims: Claims) => readonly string[]>> = {
  commonNames: (claims) => claims.commonNames,
  organizationalUnits: (claims) => claims.organizationalUnits,
  dnsNames: (claims) => claims.dnsNames.map(lower),
  uris: (claims) => claims.uris,
  ipAddresses: (claims) => claims.ipAddresses.map(lower),
  spkiPins: (claims) => [claims.spkiPin],
};
/** Host names and the hex digits of addresses don't differ by case; everything else does. */
const foldsCase: ReadonlySet<string> = new Set<Field>(['dnsNames', 'ipAddresses']);

/** Rules, checked: `null` where they admit the peer, else a sentence that says what they asked for. */
export type RuleMatcher = (claims: Claims) => string | null;

/** Checks rules once. @throws InvalidOptionError for a field that doesn't exist, or values that aren't text */
export function parseRules(rules: AuthorizeRules): RuleMatcher {
  record('authorize', rules);
  const alternatives = 'any' in rules ? rules.any : [rules];
  if (!Array.isArray(alternatives))
    throw new InvalidOptionError('authorize', 'authorize.any must be a list of rules');
  const judges = (alternatives as readonly AuthorizeRule[]).map(parseRule);
  const wanted = (alternatives as readonly AuthorizeRule[]).map(show).join(' or ') || 'no peer';
  return (claims) => (judges.some((admits) => admits(claims)) ? null : wanted);
}

function parseRule(rule: AuthorizeRule): (claims: Claims) => boolean {
  record('authorize', rule);
  const checks = Object.entries(rule).map(([field, values]) => parseField(field, values));
  return (claims) => checks.length > 0 && checks.every((check) => check(claims));
}

function parseField(field: string, values: unknown): (claims: Claims) => boolean {
  if (!Object.hasOwn(fields, field)) {
    const known = Object.keys(fields).join(', ');
    throw new InvalidOptionError('authorize', `authorize has no field ${field}; it knows ${known}`);
  }
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'string')) {
    throw new InvalidOptionError('authorize', `authorize.${field} must be a list of strings`);
  }
  const wanted = new Set((values as string[]).map((value) => (foldsCase.has(field) ? lower(value) : value)));
  const read = fields[field as Field];
  return (claims) => read(claims).some((value) => wanted.has(value));
}

function show(rule: AuthorizeRule): string {
  const parts = Object.entries(rule).map(([field, values]) => `${field} ${(values as string[]).join(' | ')}`);
  return parts.length === 0 ? 'no peer (the rule is empty)' : parts.join(' and ');
}

function lower(value: string): string {
  return value.toLowerCase();
}
