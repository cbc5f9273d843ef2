import { checkOptions, flag, texts, type OptionReaders } from '../options/index.js';
import type { X509Certificate } from './certificate.js';
import { failure, type Failure } from './failure.js';
import { ANY_POLICY } from './oid.js';

/** Which certificate policies a path must hold: the inputs of RFC 5280 6.1.1 (c) to (g). */
export interface PolicyOptions {
  /** Policies, dotted, of which the path must hold one where an explicit policy is required; default: any. */
  readonly initialSet?: readonly string[] | undefined;
  /** Require an explicit policy although no CA of the path does; default false. */
  readonly requireExplicit?: boolean | undefined;
  /** Forbid mapping a policy to another from the first certificate on; default false. */
  readonly inhibitMapping?: boolean | undefined;
  /** Let anyPolicy count for nothing from the first certificate on; default false. */
  readonly inhibitAny?: boolean | undefined;
}

const readers: OptionReaders<PolicyOptions> = {
  initialSet: texts,
  requireExplicit: flag,
  inhibitMapping: flag,
  inhibitAny: flag,
};

/** Checks the options of policies, one option among others. @throws InvalidOptionError */
export function checkPolicyOptions<V extends PolicyOptions | undefined>(option: string, value: V): V {
  if (value !== undefined) checkOptions<PolicyOptions>(value, readers, option);
  return value;
}

/**
 * Checks certificate policies (RFC 5280 6.1.2 to 6.1.5). A path fails only where an explicit policy is required, by a CA
 * of its own or by the caller, and none of those accepted holds all the way down. Of the standard's policy tree only the
 * policies expected at one level matter then, each with those of the anchor's domain that it came from (RFC 9618 shows
 * why a tree can explode).
 */
export function checkPolicies(
  path: readonly X509Certificate[],
  { initialSet = [ANY_POLICY], requireExplicit, inhibitMapping, inhibitAny }: PolicyOptions = {},
): Failure | undefined {
  const links = path.slice(0, -1);
  const never = links.length + 1;
  const state: PolicyState = {
    expected: new Map([[ANY_POLICY, new Set([ANY_POLICY])]]),
    explicitAfter: requireExplicit ? 0 : never,
    mappingAfter: inhibitMapping ? 0 : never,
    anyAfter: inhibitAny ? 0 : never,
  };
  const anchor = path.at(-1);
  if (anchor) tighten(state, anchor);
  for (let depth = links.length - 1; depth >= 0; depth--) {
    const certificate = links[depth] as X509Certificate;
    state.expected = policiesAt(state, certificate, depth === 0);
    const isHeld = depth > 0 ? state.expected.size > 0 : holdsOneOf(state.expected, initialSet);
    if (!isHeld && isExplicitAt(state, certificate, depth === 0)) {
      return failure('wrong-usage', path, depth, 'has none of the policies that are required of it');
    }
    prepareNext(state, certificate);
  }
  return undefined;
}

/** Policies that the next certificate may have, each with the policies of the anchor's domain that it stands for. */
type Expected = ReadonlyMap<string, ReadonlySet<string>>;

/** RFC 5280 6.1.5 (g): anyPolicy that has come all the way down holds for every policy. */
function holdsOneOf(expected: Expected, initialSet: readonly string[]): boolean {
  if (initialSet.includes(ANY_POLICY)) return expected.size > 0;
  const origins = new Set([...expected.values()].flatMap((each) => [...each]));
  return origins.has(ANY_POLICY) ? initialSet.length > 0 : initialSet.some((policy) => origins.has(policy));
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
  expected: Expected;
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
): Expected {
  const asserted = certificate.policies ?? [];
  const isOpen = expected.has(ANY_POLICY);
  const anyCounts = asserted.includes(ANY_POLICY) && (anyAfter > 0 || (!isLeaf && certificate.isSelfIssued));
  const held = new Map(anyCounts ? expected : []);
  for (const policy of asserted) {
    if (policy === ANY_POLICY) continue;
    const origins = expected.get(policy) ?? (isOpen ? new Set([policy]) : undefined);
    if (origins) held.set(policy, origins);
  }
  return held;
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
  const mapped = new Set(policyMappings.map(({ issuerPolicy }) => issuerPolicy));
  const after = new Map([...before].filter(([policy]) => !mapped.has(policy)));
  for (const { issuerPolicy, subjectPolicy } of state.mappingAfter === 0 ? [] : policyMappings) {
    const origins =
      before.get(issuerPolicy) ?? (before.has(ANY_POLICY) ? new Set([issuerPolicy]) : undefined);
    if (origins) after.set(subjectPolicy, new Set([...(after.get(subjectPolicy) ?? []), ...origins]));
  }
  state.expected = after;
}

function tighten(
  state: PolicyState,
  { policyConstraints, inhibitAnyPolicy = Infinity }: X509Certificate,
): void {
  state.explicitAfter = Math.min(state.explicitAfter, policyConstraints?.requireExplicitPolicy ?? Infinity);
  state.mappingAfter = Math.min(state.mappingAfter, policyConstraints?.inhibitPolicyMapping ?? Infinity);
  state.anyAfter = Math.min(state.anyAfter, inhibitAnyPolicy);
}
