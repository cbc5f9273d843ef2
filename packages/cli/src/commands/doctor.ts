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
It inspects only this machine, opens no connection, and shows no passphrase. Include the output in bug reports.

Examples:
  $ knsock doctor
  $ knsock doctor --json`;
