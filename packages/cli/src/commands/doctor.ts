/** `knsock doctor` */
import type { Command } from 'commander';
import type { Output } from '../output.js';

export function defineDoctor(command: Command, output: Output): void {
  command.addHelpText('after', HELP).action(async () => {
    const { examine, report } = await import('../doctor.js');
    const findings = examine();
    await output.result(findings, report(findings));
  });
}

const HELP = `
It looks at this machine alone, connects nowhere, and shows no passphrase. Put what it prints into a bug report.

Examples:
  $ knsock doctor
  $ knsock doctor --json`;
