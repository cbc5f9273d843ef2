import { contextTag, Tag, type DerReader } from './der.js';
import { ANY_POLICY } from './oid.js';

/** After how many certificates an explicit policy is required, or mapping forbidden (RFC 5280 4.2.1.11). */
export interface PolicyConstraints {
  readonly requireExplicitPolicy: number | undefined;
  readonly inhibitPolicyMapping: number | undefined;
}

/** A policy of the issuer and the one of the subject that it is said to equal (RFC 5280 4.2.1.5). */
export interface PolicyMapping {
  readonly issuerPolicy: string;
  readonly subjectPolicy: string;
}

const MAX_SKIP = 0xffff;

/** Reads the policies' identifiers; qualifiers are text for people and skipped. */
export function readPolicies(reader: DerReader): readonly string[] {
  const sequence = reader.enter(Tag.sequence, 'policies');
  if (sequence.isDone) sequence.fail('policies are an empty list');
  const policies = new Set<string>();
  while (!sequence.isDone) {
    const information = sequence.enter(Tag.sequence, 'policy');
    const policy = information.oid('policy');
    if (policies.has(policy)) information.fail(`policy ${policy} is there twice`);
    if (!information.isDone) information.enter(Tag.sequence, 'policy qualifiers');
    information.finish('policy');
    policies.add(policy);
  }
  return [...policies];
}

export function readPolicyMappings(reader: DerReader): readonly PolicyMapping[] {
  const sequence = reader.enter(Tag.sequence, 'policy mappings');
  if (sequence.isDone) sequence.fail('policy mappings are an empty list');
  const mappings: PolicyMapping[] = [];
  while (!sequence.isDone) mappings.push(readMapping(sequence.enter(Tag.sequence, 'policy mapping')));
  return mappings;
}

export function readPolicyConstraints(reader: DerReader): PolicyConstraints {
  const sequence = reader.enter(Tag.sequence, 'policy constraints');
  if (sequence.isDone) sequence.fail('policy constraints are empty');
  const requireExplicitPolicy = readSkip(sequence, contextTag(0, 'primitive'));
  const inhibitPolicyMapping = readSkip(sequence, contextTag(1, 'primitive'));
  sequence.finish('policy constraints');
  return { requireExplicitPolicy, inhibitPolicyMapping };
}

/** Reads after how many certificates anyPolicy counts no more (RFC 5280 4.2.1.14). */
export function readInhibitAnyPolicy(reader: DerReader): number {
  return reader.smallInteger(MAX_SKIP, 'inhibit any-policy');
}

function readMapping(reader: DerReader): PolicyMapping {
  const mapping = { issuerPolicy: reader.oid('policy mapping'), subjectPolicy: reader.oid('policy mapping') };
  reader.finish('policy mapping');
  if (mapping.issuerPolicy === ANY_POLICY || mapping.subjectPolicy === ANY_POLICY)
    reader.fail('a policy mapping maps any policy');
  return mapping;
}

function readSkip(reader: DerReader, tag: number): number | undefined {
  return reader.has(tag) ? reader.smallInteger(MAX_SKIP, 'policy constraints', tag) : undefined;
}
