/** `knsock certs renew` */
import type { Command } from 'commander';
import { readInput } from '../../files.js';
import { passphraseOf } from '../../options.js';
import type { Output } from '../../output.js';
import { addStoreOptions, authorityOf, type StoreFlags } from './store-options.js';

interface RenewFlags extends StoreFlags {
  reuseKey?: boolean;
  force?: boolean;
  passphraseFile?: string;
}

export function defineRenew(command: Command, output: Output): void {
  command
    .description('renew a certificate and its key in place, if it is due')
    .argument('<cert>', 'file of the certificate')
    .argument('<key>', 'file of its key')
    .option('--reuse-key', 'keep the key, for peers that pin it')
    .option('--force', 'renew even if it isn’t due')
    .option(
      '--passphrase-file <file>',
      'file with the passphrase of an encrypted key (or set KNSOCK_PASSPHRASE)',
    );
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (certFile: string, keyFile: string, flags: RenewFlags) => {
      await renewPair(certFile, keyFile, flags, output);
    });
}

async function renewPair(
  certFile: string,
  keyFile: string,
  flags: RenewFlags,
  output: Output,
): Promise<void> {
  const { createSelfSigned, renew } = await import('@knsock/certs');
  const { reuseKey, force } = flags;
  // Whoever trusts a certificate by itself must not be cut off by one of an authority, unless that is asked for.
  const alone = flags.authority === undefined && (await isSelfSigned(certFile));
  const issuer = alone ? createSelfSigned : await authorityOf(flags, output);
  const keyPassphrase = await passphraseOf(flags.passphraseFile);
  const result = await renew({ certFile, keyFile, issuer, keyPassphrase, reuseKey, force });
  const { renewed, notAfter, dueAt } = result;
  await output.result(
    result,
    renewed
      ? `renewed, valid until ${notAfter.toISOString()}`
      : `not due before ${dueAt.toISOString()}, valid until ${notAfter.toISOString()}`,
  );
}

async function isSelfSigned(certFile: string): Promise<boolean> {
  const { parseCertificates } = await import('@knsock/core/x509');
  return parseCertificates(await readInput(certFile))[0]?.isSelfIssued === true;
}

const HELP = `
The new certificate has the names, subject, purpose and validity of the old one. A self-signed certificate stays
self-signed and must be distributed to its peers again, unless --authority names an authority. Run it from cron. Example:
  $ knsock certs renew certs/issued/server.crt certs/issued/server.key && systemctl reload db-proxy`;
