import type { X509Certificate } from './certificate.js';
import { failure, type Failure } from './failure.js';
import { ANY_POLICY } from './oid.js';

/**
 * Checks certificate policies (RFC 5280 6.1.2 to 6.1.5) for a caller who accepts any policy: a path fails only where
 * one of its CAs requires an explicit policy and none holds all the way down. Of the standard's policy tree only the
 * policies expected at one level matter then, so a set of them does (RFC 9618 shows why a tree can explode).
 */
export function checkPolicies(path: readonly X509Certificate[]): Failure | undefined {
  const links = path.slice(0, -1);
  const state: PolicyState = {
    expected: new Set([ANY_POLICY]),
    explicitAfter: links.length + 1,
    mappingAfter: links.length + 1,
    anyAfter: links.length + 1,
  };
  const anchor = path.at(-1);
  if (anchor) tighten(state, anchor);
  for (let depth = links.length - 1; depth >= 0; depth--) {
    const certificate = links[depth] as X509Certificate;
    state.expected = policiesAt(state, certificate, depth === 0);
    if (state.expected.size === 0 && isExplicitAt(state, certificate, depth === 0)) {
      return failure('wrong-usage', path, depth, 'has none of the policies that a CA above it requires');
    }
    prepareNext(state, certificate);
  }
  return undefined;
}

/** RFC 5280 6.1.3 (f), and for the leaf 6.1.5 (a) and (b). */
function isExplicitAt(
  { explicitAfter }: PolicyState,
  { policyConstraints }: X509Certificate,
  isLeaf: boolean,
): boolean {
  return (
    explicitAfter === 0 || (isLeaf && (explicitAfter === 1 || policyConstraints?.requireExplicitPolicy === 0))
  );
}

interface PolicyState {
  /** The policies that the next certificate may have. */
  expected: Set<string>;
  /** After how many more certificates a policy is required, mapping ends, and anyPolicy stops counting. */
  explicitAfter: number;
  mappingAfter: number;
  anyAfter: number;
}

/** RFC 5280 6.1.3 (d) and (e). */
function policiesAt(
  { expected, anyAfter }: PolicyState,
  certificate: X509Certificate,
  isLeaf: boolean,
): Set<string> {
  const asserted = certificate.policies ?? [];
  const isOpen = expected.has(ANY_POLICY);
  const holding = new Set(
    asserted.filter((policy) => policy !== ANY_POLICY && (isOpen || expected.has(policy))),
  );
  const anyCounts = asserted.includes(ANY_POLICY) && (anyAfter > 0 || (!isLeaf && certificate.isSelfIssued));
  return anyCounts ? new Set([...expected, ...holding]) : holding;
}

/** RFC 5280 6.1.4 (a), (b) and (h) to (j). */
function prepareNext(state: PolicyState, certificate: X509Certificate): void {
  applyMappings(state, certificate);
  if (!certificate.isSelfIssued) {
    state.explicitAfter = Math.max(0, state.explicitAfter - 1);
    state.mappingAfter = Math.max(0, state.mappingAfter - 1);
    state.anyAfter = Math.max(0, state.anyAfter - 1);
  }
  tighten(state, certificate);
}

function applyMappings(state: PolicyState, { policyMappings = [] }: X509Certificate): void {
  const before = state.expected;
  const isOpen = before.has(ANY_POLICY);
  const mapped = new Set(policyMappings.map(({ issuerPolicy }) => issuerPolicy));
  state.expected = new Set([...before].filter((policy) => !mapped.has(policy)));
  if (state.mappingAfter === 0) return;
  for (const { issuerPolicy, subjectPolicy } of policyMappings) {
    if (isOpen || before.has(issuerPolicy)) state.expected.add(subjectPolicy);
  }
}

function tighten(
  state: PolicyState,
  { policyConstraints, inhibitAnyPolicy = Infinity }: X509Certificate,
): void {
  state.explicitAfter = Math.min(state.explicitAfter, policyConstraints?.requireExplicitPolicy ?? Infinity);
  state.mappingAfter = Math.min(state.mappingAfter, policyConstraints?.inhibitPolicyMapping ?? Infinity);
  state.anyAfter = Math.min(state.anyAfter, inhibitAnyPolicy);
}
