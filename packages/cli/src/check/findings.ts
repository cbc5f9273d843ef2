/** Findings: what rules saw at a target, and which of them were accepted before. */
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

/** What a target was checked for. */
export interface TargetReport {
  readonly target: string;
  readonly passed: readonly string[];
  readonly findings: readonly Finding[];
  /** What was learnt of an endpoint, whatever the rules make of it. */
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
  return { target, passed, findings, accepted: [] };
}

/** The same target from several sides as one report. */
export function merged([first, ...rest]: readonly [TargetReport, ...TargetReport[]]): TargetReport {
  return {
    target: first.target,
    passed: [first, ...rest].flatMap(({ passed }) => passed),
    findings: [first, ...rest].flatMap(({ findings }) => findings),
    accepted: [],
  };
}

/** A line of a baseline: the rule and where it was found. */
export function baselineLine({ rule, target }: Finding): string {
  return `${rule} ${target}`;
}

/** Sets aside what the baseline accepts. */
export function accept(report: TargetReport, baseline: ReadonlySet<string>): TargetReport {
  const isAccepted = (finding: Finding): boolean => baseline.has(baselineLine(finding));
  return {
    ...report,
    findings: report.findings.filter((finding) => !isAccepted(finding)),
    accepted: report.findings.filter(isAccepted),
  };
}
