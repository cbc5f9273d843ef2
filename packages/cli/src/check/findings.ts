/** Findings of the rules for a target, and which of them a baseline accepts. */
import type { Severity } from '../severity.js';
import type { EndpointFacts } from './endpoint-facts.js';
import type { Rule } from './rule.js';

export interface Finding {
  readonly rule: string;
  readonly title: string;
  readonly severity: Severity;
  /** A file or `host:port`. */
  readonly target: string;
  readonly evidence: string;
  readonly why: string;
  readonly fix: string;
}

/** The result of checking one target. */
export interface TargetReport {
  readonly target: string;
  readonly passed: readonly string[];
  readonly findings: readonly Finding[];
  /** What was left out, and what was found to belong together; nothing of it counts as passed. */
  readonly notes: readonly string[];
  /** Facts about an endpoint, independent of the rules. */
  readonly facts?: EndpointFacts;
  /** Findings that the baseline accepts. */
  readonly accepted: readonly Finding[];
}

/** Runs rules over one piece of evidence. */
export function judge<Evidence>(
  target: string,
  rules: readonly Rule<Evidence>[],
  evidence: Evidence,
): TargetReport {
  const passed: string[] = [];
  const findings: Finding[] = [];
  for (const { id, title, why, fix, check } of rules) {
    const found = check(evidence);
    if (found === null) passed.push(id);
    else findings.push({ rule: id, title, target, ...found, why, fix });
  }
  return { target, passed, findings, notes: [], accepted: [] };
}

/** Merges several reports on the same target. */
export function merged([first, ...rest]: readonly [TargetReport, ...TargetReport[]]): TargetReport {
  return {
    target: first.target,
    passed: [first, ...rest].flatMap(({ passed }) => passed),
    findings: [first, ...rest].flatMap(({ findings }) => findings),
    notes: [first, ...rest].flatMap(({ notes }) => notes),
    accepted: [],
  };
}

/** A line of a baseline: the rule and where it was found. */
export function baselineLine({ rule, target }: Finding): string {
  return `${rule} ${target}`;
}

/** Separates the findings that the baseline accepts. */
export function accept(report: TargetReport, baseline: ReadonlySet<string>): TargetReport {
  const isAccepted = (finding: Finding): boolean => baseline.has(baselineLine(finding));
  return {
    ...report,
    findings: report.findings.filter((finding) => !isAccepted(finding)),
    accepted: report.findings.filter(isAccepted),
  };
}
