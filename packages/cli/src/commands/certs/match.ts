/** `knsock certs match` */
import type { Command } from 'commander';
import { readInput } from '../../files.js';
import { passphraseOf } from '../../options.js';
import type { Output } from '../../output.js';

const MISMATCH = 58;

export function defineMatch(command: Command, output: Output): void {
  command
    .description('tell whether a key is a certificate’s')
    .argument('<certificate>', 'PEM or DER; of a chain the first counts')
    .argument('<key>', 'PEM')
    .option('--passphrase-file <file>', 'opens an encrypted key (or set KNSOCK_PASSPHRASE)')
    .addHelpText('after', HELP)
    .action(async (certificate: string, key: string, flags: { passphraseFile?: string }) => {
      const { keyMatches } = await import('@knsock/certs');
      const passphrase = await passphraseOf(flags.passphraseFile);
      const matches = keyMatches(await readInput(certificate), (await readInput(key)).toString(), passphrase);
      await output.result(
        { matches },
        matches ? 'The key is the certificate’s.' : 'The key belongs to another certificate.',
      );
      process.exitCode = matches ? 0 : MISMATCH;
    });
}

const HELP = `
Exits with 0 where they belong together, else 58. Example:
  $ knsock certs match server.crt server.key`;
