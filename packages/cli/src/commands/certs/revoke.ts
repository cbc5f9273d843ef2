/** `knsock certs revoke` */
import { access } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { RevocationReason } from '@knsock/certs';
import { naming, readInput } from '../../files.js';
import { passphraseFileOption, pfxKeyNameOption } from '../../options.js';
import type { Output } from '../../output.js';
import { quote } from '../../quote.js';
import { openingOf, type OpeningFlags } from '../../store-keys.js';
import { UsageError } from '../../usage-error.js';
import { addStoreOptions, authorityOf, type StoreFlags } from './store-options.js';

interface RevokeFlags extends StoreFlags, OpeningFlags {
  reason?: RevocationReason;
}

// A copy of the library's list, since help must show it without loading the library; the type keeps it complete.
const reasons: Readonly<Record<RevocationReason, true>> = {
  unspecified: true,
  'key-compromise': true,
  'ca-compromise': true,
  'affiliation-changed': true,
  superseded: true,
  'cessation-of-operation': true,
  'certificate-hold': true,
  'privilege-withdrawn': true,
};

export function defineRevoke(command: Command, output: Output): void {
  command
    .description('revoke a certificate; the next revocation list contains it')
    .argument('<certificate>', 'file, serial number (hex) or SHA-256 fingerprint')
    .addOption(new Option('--reason <reason>', 'why (default: unspecified)').choices(Object.keys(reasons)));
  command.addOption(passphraseFileOption()).addOption(pfxKeyNameOption());
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (certificate: string, flags: RevokeFlags) => {
      await revoke(certificate, flags, output);
    });
}

async function revoke(certificate: string, flags: RevokeFlags, output: Output): Promise<void> {
  const authority = await authorityOf(flags, output);
  const meant = await serialOrFile(certificate, flags);
  const { at, reason, changed } = await naming(certificate, () => authority.revoke(meant, flags.reason));
  output.say(
    changed
      ? `Revoked. A running knsock certs serve lists it at once; otherwise publish a list now: ${listCommand(flags)}`
      : `Already revoked (${reason}, at ${at.toISOString()}); nothing was changed.`,
  );
  if (output.manner.json) await output.record({ revoked: certificate, reason, at, changed });
}

/** With the same store and authority. */
function listCommand({ store, authority }: StoreFlags): string {
  const ofStore = store === 'certs' ? '' : ` --store ${quote(store)}`;
  return `knsock certs crl${ofStore}${authority === undefined ? '' : ` --authority ${quote(authority)}`}`;
}

async function serialOrFile(certificate: string, flags: OpeningFlags): Promise<string | Buffer> {
  const isFile = await access(certificate).then(
    () => true,
    () => false,
  );
  if (isFile || certificate === '-') return certificateIn(certificate, flags);
  if (/^[0-9a-fx: ]+$/i.test(certificate)) return certificate;
  throw new UsageError(
    `${certificate} is neither a file nor a serial number or fingerprint`,
    'Is the path right? Serial numbers and fingerprints are hexadecimal.',
    'KNSOCK_READ',
  );
}

/** The contents; of a PKCS#12 file the key's certificate. @throws UsageError for one with several keys, of which none is named */
async function certificateIn(file: string, flags: OpeningFlags): Promise<Buffer> {
  const { certificatesIn, isKeyStore } = await import('@knsock/core/x509');
  const [input, opening] = [await readInput(file), await openingOf(flags)];
  if (!isKeyStore(input)) return input;
  const { chains, names = [] } = await naming(file, () => certificatesIn(input, opening));
  if (chains.length === 1) return chains[0]?.[0]?.der as Buffer;
  const what =
    names.length === 0
      ? `is a trust store of ${chains.length} certificates`
      : `has ${names.length} keys (${names.map((name) => JSON.stringify(name)).join(', ')})`;
  throw new UsageError(
    `${file} ${what}: which certificate is meant?`,
    'Name the key with --pfx-key-name, or give the serial number (knsock certs inspect shows it).',
  );
}

const HELP = `
Examples:
  $ knsock certs revoke certs/issued/client.crt --reason key-compromise
  $ knsock certs crl`;
