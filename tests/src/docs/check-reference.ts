// The list of rules in docs/check.md, made from the rules themselves.
import { describeRules, type RuleDescription } from '@knsock/cli';

/** Each generated part of the page, by the name in its markers. */
export function checkReference(): Readonly<Record<string, string>> {
  const rules = describeRules();
  return {
    rules: [...rules]
      .sort((one, other) => one.id.localeCompare(other.id))
      .map(section)
      .join('\n'),
  };
}

function section({ id, title, severities, why, fix, on }: RuleDescription): string {
  return [
    `### ${id}\n`,
    `Expects that ${title}. On ${on.join(' and ')}; ${severities.join(' or ')}.\n`,
    `Why: ${why}\n`,
    `Fix: ${fix}\n`,
  ].join('\n');
}
