/** A report for people: the worst first, each finding with evidence, reason and remedy. */
import { printable } from '@knsock/core/errors';
import type { Output } from '../output.js';
import { severities, type Severity } from '../severity.js';
import type { Finding, TargetReport } from './findings.js';

export function reportText(
  { target, passed, findings, notes, accepted }: TargetReport,
  { colors }: Output,
): string {
  const paint: Record<Severity, (text: string) => string> = {
    error: colors.red,
    warning: colors.yellow,
    notice: colors.cyan,
  };
  const lines = sorted(findings).flatMap(({ rule, severity, title, evidence, why, fix }) => [
    `  ${paint[severity](severity.padEnd(7))} ${rule}: expected that ${title}`,
    `          found: ${printable(evidence)}`,
    `          why:   ${why}`,
    `          fix:   ${printable(fix)}`,
  ]);
  const kept = accepted.length === 0 ? '' : `, ${accepted.length} accepted by the baseline`;
  const summary = `  ${passed.length} passed, ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}${kept}`;
  const noted = notes.map((note) => `  note    ${printable(note)}`);
  return [printable(target), ...lines, ...noted, summary, ''].join('\n');
}

function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
}
