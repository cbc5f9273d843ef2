/** `knsock certs match` */
import type { KeyObject } from 'node:crypto';
import type { X509Certificate } from '@knsock/core/x509';
import type { Command } from 'commander';
import { naming, readInput } from '../../files.js';
import { passphraseFileOption, passphraseOf, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';

const MISMATCH = 58;

export function defineMatch(command: Command, output: Output): void {
  command
    .description('check that a private key belongs to a certificate')
    .argument('<certificate>', 'certificate in any format; in a chain, the first')
    .argument('<key>', 'in any format')
    .addOption(passphraseFileOption())
    .addOption(pfxKeyNameOption())
    .addHelpText('after', HELP)
    .action(async (certificate: string, key: string, flags: MatchFlags) => {
      const { publicHalf } = await import('@knsock/core/x509');
      const passphrase = await passphraseOf(flags.passphraseFile);
      const opening = { passphrase, keyName: flags.pfxKeyName };
      const [first, second] = [await readInput(certificate), await readInput(key)];
      const leaf = await naming(certificate, () => leafOf(first, opening));
      const opened = await naming(key, () => keyOf(second, opening));
      const own = publicHalf(opened).export({ type: 'spki', format: 'der' });
      const matches = leaf?.publicKeyInfo.der.equals(own) === true;
      await output.result({ matches }, `${key} ${matches ? 'belongs' : "doesn't belong"} to ${certificate}`);
      process.exitCode = matches ? 0 : MISMATCH;
    });
}

interface MatchFlags {
  passphraseFile?: string;
  pfxKeyName?: string;
}

interface Opening {
  readonly passphrase: string | undefined;
  readonly keyName: string | undefined;
}

/** The first certificate, or in a PKCS#12 file the key's. */
async function leafOf(input: Buffer, opening: Opening): Promise<X509Certificate | undefined> {
  const { certificatesIn } = await import('@knsock/core/x509');
  return (await certificatesIn(input, opening)).chains[0]?.[0];
}

async function keyOf(input: Buffer, { passphrase, keyName }: Opening): Promise<KeyObject> {
  const { isKeyStore, openPkcs12OffThread, readPrivateKeyOffThread } = await import('@knsock/core/x509');
  if (!isKeyStore(input)) return readPrivateKeyOffThread(input, passphrase);
  return (await openPkcs12OffThread(input, passphrase, keyName)).key;
}

const HELP = `
Exit code: 0 if they match, 58 if not. Example:
  $ knsock certs match server.crt server.key`;
