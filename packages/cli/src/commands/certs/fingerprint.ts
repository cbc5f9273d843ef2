/** `knsock certs fingerprint` */
import type { Command } from 'commander';
import { naming, readInput } from '../../files.js';
import type { Output } from '../../output.js';

export function defineFingerprint(command: Command, output: Output): void {
  command
    .description("show a certificate's SHA-256 fingerprint and its key's pin")
    .argument('<certificate>', 'a certificate in any format; - is standard input')
    .addHelpText('after', HELP)
    .action(async (certificate: string) => {
      const { fingerprint } = await import('@knsock/certs');
      const input = await readInput(certificate);
      const found = await naming(certificate, () => fingerprint(input));
      await output.result(found, `fingerprint  ${found.colons}\npin          ${found.spkiPin}`);
    });
}

const HELP = `
--pin and --allow-pin take the pin. It stays the same when a renewal keeps the key. Example:
  $ knsock certs fingerprint server.crt`;
