/** `knsock certs fingerprint` */
import type { Command } from 'commander';
import { naming, readInput } from '../../files.js';
import { passphraseFileOption, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';
import { eachKey, openingOf, type OpeningFlags } from '../../store-keys.js';

export function defineFingerprint(command: Command, output: Output): void {
  command
    .description("show a certificate's SHA-256 fingerprint and its key's pin")
    .argument('<certificate>', 'a certificate in any format; - is standard input')
    .addOption(passphraseFileOption())
    .addOption(pfxKeyNameOption())
    .addHelpText('after', HELP)
    .action(async (certificate: string, flags: OpeningFlags) => {
      const { fingerprint } = await import('@knsock/certs');
      const input = await readInput(certificate);
      for (const { input: one, opening, name } of await eachKey(input, await openingOf(flags))) {
        const found = await naming(certificate, () => fingerprint(one, opening));
        const lines = `fingerprint  ${found.colons}\npin          ${found.spkiPin}`;
        if (name === undefined) await output.result(found, lines);
        else await output.result({ key: name, ...found }, `key          ${name}\n${lines}`);
      }
    });
}

const HELP = `
--pin and --allow-pin take the pin. It stays the same when a renewal keeps the key. Example:
  $ knsock certs fingerprint server.crt`;
