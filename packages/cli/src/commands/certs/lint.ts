/** `knsock certs lint` */
import type { Command } from 'commander';
import type { Finding } from '@knsock/certs';
import { printable } from '@knsock/core/errors';
import { eachFile } from '../../each-file.js';
import { FOUND } from '../../exit-codes.js';
import { readInput } from '../../files.js';
import { passphraseFileOption, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';
import { failOnOption, isWorse, type Severity } from '../../severity.js';
import { openingOf, type OpeningFlags } from '../../store-keys.js';

export function defineLint(command: Command, output: Output): void {
  command
    .description('check certificates for mistakes, and say how to fix them')
    .argument('<file...>', 'certificates or chains in any format; - is standard input')
    .addOption(passphraseFileOption())
    .addOption(pfxKeyNameOption())
    .addOption(failOnOption('error'))
    .addHelpText('after', HELP)
    .action(async (files: string[], { failOn, ...flags }: LintFlags) => {
      const { lint } = await import('@knsock/certs');
      const opening = await openingOf(flags);
      await eachFile(files, { output, command: 'knsock certs lint' }, async (file) => {
        const findings = await lint(await readInput(file), opening);
        await output.result({ file, findings }, text(printable(file), findings));
        if (findings.some(({ severity }) => isWorse(severity, failOn))) process.exitCode = FOUND;
      });
    });
}

interface LintFlags extends OpeningFlags {
  failOn: Severity | 'never';
}

function text(file: string, findings: readonly Finding[]): string {
  if (findings.length === 0) return `${file}: nothing odd`;
  const lines = findings.map(
    ({ rule, severity, position, of, message, fix }) =>
      `${file}: ${severity} ${rule}: certificate ${position} of ${of}: ${message}\n  fix: ${fix}`,
  );
  return lines.join('\n');
}

const HELP = `
Exit code: 3 if a finding has at least the severity of --fail-on.

Examples:
  $ knsock certs lint server.crt
  $ knsock certs lint --fail-on warning --json certs/issued/*.crt`;
