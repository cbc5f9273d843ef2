/** `knsock certs match` */
import type { Command } from 'commander';
import { naming, readInput } from '../../files.js';
import { passphraseOf } from '../../options.js';
import type { Output } from '../../output.js';

const MISMATCH = 58;

export function defineMatch(command: Command, output: Output): void {
  command
    .description('check that a private key belongs to a certificate')
    .argument('<certificate>', 'certificate in any format; in a chain, the first')
    .argument('<key>', 'in any format')
    .option(
      '--passphrase-file <file>',
      'file with the passphrase of an encrypted key (or set KNSOCK_PASSPHRASE)',
    )
    .addHelpText('after', HELP)
    .action(async (certificate: string, key: string, flags: { passphraseFile?: string }) => {
      const { parseCertificates, publicHalf, readPrivateKeyOffThread } = await import('@knsock/core/x509');
      const passphrase = await passphraseOf(flags.passphraseFile);
      const [first, second] = [await readInput(certificate), await readInput(key)];
      const [leaf] = await naming(certificate, () => parseCertificates(first));
      const opened = await naming(key, () => readPrivateKeyOffThread(second, passphrase));
      const own = publicHalf(opened).export({ type: 'spki', format: 'der' });
      const matches = leaf?.publicKeyInfo.der.equals(own) === true;
      await output.result({ matches }, `${key} ${matches ? 'belongs' : 'doesn’t belong'} to ${certificate}`);
      process.exitCode = matches ? 0 : MISMATCH;
    });
}

const HELP = `
Exit code: 0 if they match, 58 if not. Example:
  $ knsock certs match server.crt server.key`;
