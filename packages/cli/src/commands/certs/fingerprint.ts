/** `knsock certs fingerprint` */
import type { Command } from 'commander';
import { readInput } from '../../files.js';
import type { Output } from '../../output.js';

export function defineFingerprint(command: Command, output: Output): void {
  command
    .description('show a certificate’s SHA-256 fingerprint and its key’s pin')
    .argument('<certificate>', 'PEM or DER; - is standard input')
    .addHelpText('after', HELP)
    .action(async (certificate: string) => {
      const { fingerprint } = await import('@knsock/certs');
      const found = await fingerprint(await readInput(certificate));
      await output.result(found, `fingerprint  ${found.colons}\npin          ${found.spkiPin}`);
    });
}

const HELP = `
The pin is what --pin and --allow-pin take; it outlives a renewal that keeps the key. Example:
  $ knsock certs fingerprint server.crt`;
