/** Severities of findings, and the threshold at which a command fails. */
import { Option } from 'commander';
import type { Severity } from '@knsock/core/x509';

export type { Severity };

/** The most severe first. */
export const severities: readonly Severity[] = ['error', 'warning', 'notice'];

/** Whether a finding reaches the threshold. */
export function isWorse(severity: Severity, bound: Severity | 'never'): boolean {
  return bound !== 'never' && severities.indexOf(severity) <= severities.indexOf(bound);
}

export function failOnOption(fallback: Severity): Option {
  return new Option('--fail-on <severity>', 'lowest severity that makes the command fail')
    .choices([...severities, 'never'])
    .default(fallback);
}
