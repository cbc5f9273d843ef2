/** The options of the subcommands that work on a store of authorities. */
import { Option, type Command } from 'commander';
import type { Authority, KeyType, Store } from '@knsock/certs';
import type { Output } from '../../output.js';

export interface StoreFlags {
  store: string;
  authority?: string;
  storePassphraseFile?: string;
}

const keyTypes: readonly KeyType[] = ['p256', 'p384', 'ed25519', 'rsa2048', 'rsa3072', 'rsa4096'];

export function addStoreOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--store <directory>', 'directory of the store').env('KNSOCK_STORE').default('certs'),
    )
    .option('--authority <name>', 'authority to use (default: the only one with a key)')
    .option(
      '--store-passphrase-file <file>',
      'file with the passphrase of the authorities’ keys (or set KNSOCK_STORE_PASSPHRASE)',
    );
}

export function keyTypeOption(): Option {
  return new Option('--key-type <type>', 'key type (default: p256)').choices(keyTypes);
}

export async function openStoreOf(flags: StoreFlags, output: Output): Promise<Store> {
  const { openStore } = await import('@knsock/certs');
  const file = flags.storePassphraseFile;
  const environment = 'KNSOCK_STORE_PASSPHRASE';
  const fromEnvironment = process.env[environment] === undefined ? undefined : { environment };
  const store = await openStore(flags.store, { passphrase: file === undefined ? fromEnvironment : { file } });
  for (const warning of store.warnings) output.warn(warning);
  return store;
}

export async function authorityOf(flags: StoreFlags, output: Output): Promise<Authority> {
  return (await openStoreOf(flags, output)).authority(flags.authority);
}
