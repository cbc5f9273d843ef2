/** The revocation policy as flags, one for each setting of `revocation` in the API. */
import { Option, type Command } from 'commander';
import type { RevocationPolicyOptions } from '@knsock/core/x509';

export interface RevocationFlags {
  revocationDepth?: 'leaf' | 'chain';
  revocationUnknown?: 'refuse' | 'accept';
  revocationStale?: 'refuse' | 'accept';
  revocationUnnumbered?: 'refuse' | 'accept';
  revocationMissingDelta?: 'refuse' | 'accept';
}

/** The defaults belong to the API (they depend on the rules), so commander has none. */
export function addRevocationOptions(command: Command): Command {
  const setting = (flags: string, meaning: string, ...choices: string[]) =>
    new Option(flags, meaning).choices(choices);
  const gap = ['refuse', 'accept'];
  return command
    .addOption(
      setting(
        '--revocation-depth <depth>',
        'certificates that need a list: the leaf, or all but the root (default: leaf)',
        ...['leaf', 'chain'],
      ),
    )
    .addOption(
      setting('--revocation-unknown <decision>', 'certificates without a list (default: refuse)', ...gap),
    )
    .addOption(
      setting('--revocation-stale <decision>', 'lists past their nextUpdate (default: refuse)', ...gap),
    )
    .addOption(
      setting('--revocation-unnumbered <decision>', 'lists without a CRL number (default: accept)', ...gap),
    )
    .addOption(
      setting(
        '--revocation-missing-delta <decision>',
        'delta lists that are referenced but not loaded (default: accept)',
        ...gap,
      ),
    );
}

/** Undefined if no flag was given. */
export function revocationOf(flags: RevocationFlags): RevocationPolicyOptions | undefined {
  const policy = {
    depth: flags.revocationDepth,
    unknown: flags.revocationUnknown,
    stale: flags.revocationStale,
    unnumbered: flags.revocationUnnumbered,
    missingDelta: flags.revocationMissingDelta,
  };
  return Object.values(policy).some((setting) => setting !== undefined) ? policy : undefined;
}
