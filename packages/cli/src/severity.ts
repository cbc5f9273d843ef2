/** How bad findings are, and from where on they make a command fail. */
import { Option } from 'commander';

/** `error`: refused by peers or unsafe; `warning`: soon, or in some places; `notice`: worth knowing. */
export type Severity = 'error' | 'warning' | 'notice';

/** The worst first. */
export const severities: readonly Severity[] = ['error', 'warning', 'notice'];

/** Whether a finding is as bad as the bound, or worse. */
export function isWorse(severity: Severity, bound: Severity | 'never'): boolean {
  return bound !== 'never' && severities.indexOf(severity) <= severities.indexOf(bound);
}

export function failOnOption(fallback: Severity): Option {
  return new Option('--fail-on <severity>', 'lowest severity that makes the command fail')
    .choices([...severities, 'never'])
    .default(fallback);
}
