/** The inputs of certificate policies (RFC 5280 6.1.1) as flags, one for each of `policies` in the API. */
import { InvalidArgumentError, type Command } from 'commander';
import type { PolicyOptions } from '@knsock/core/x509';
import { repeatable } from './given-once.js';

export interface PolicyFlags {
  policy?: string[];
  explicitPolicy?: boolean;
  inhibitMapping?: boolean;
  inhibitAny?: boolean;
}

const DOTTED = /^[0-2](\.(0|[1-9]\d*))+$/;

const policy = repeatable((value: string, earlier: string[] = []): string[] => {
  if (!DOTTED.test(value))
    throw new InvalidArgumentError('It is an object identifier such as 1.3.6.1.4.1.1.2.');
  return [...earlier, value];
});

export function addPolicyOptions(command: Command): Command {
  return command
    .option(
      '--policy <oid>',
      'a certificate policy to accept, where the path must hold one (repeatable; default: any)',
      policy,
    )
    .option('--explicit-policy', 'require that the path holds a policy, even if none of its CAs does')
    .option('--inhibit-mapping', "don't let a CA map a policy to another one")
    .option('--inhibit-any', "don't let anyPolicy stand for others");
}

/** Undefined if no flag was given. */
export function policiesOf(flags: PolicyFlags): PolicyOptions | undefined {
  const policies = {
    initialSet: flags.policy,
    requireExplicit: flags.explicitPolicy,
    inhibitMapping: flags.inhibitMapping,
    inhibitAny: flags.inhibitAny,
  };
  return Object.values(policies).some((setting) => setting !== undefined) ? policies : undefined;
}
