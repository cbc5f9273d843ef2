/** Options of the subcommands that use a store of authorities. */
import { stat } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import type { Authority, KeyType, Signer, Store } from '@knsock/certs';
import type { X509Certificate } from '@knsock/core/x509';
import { storeName } from '../../name-flags.js';
import type { Output } from '../../output.js';
import { askSecret } from '../../secret-prompt.js';
import { commandSigner } from '../../signer-command.js';
import { UsageError } from '../../usage-error.js';

export interface StoreFlags {
  store: string;
  authority?: string;
  storePassphraseFile?: string;
  signerExec?: string;
}

/** The names alone: to import them would load @knsock/certs for each help. None can be missing here. */
const keyTypes = Object.keys({
  p256: true,
  p384: true,
  ed25519: true,
  rsa2048: true,
  rsa3072: true,
  rsa4096: true,
  mldsa44: true,
  mldsa65: true,
  mldsa87: true,
} satisfies Record<KeyType, true>);

export function addStoreOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--store <directory>', 'directory of the store').env('KNSOCK_STORE').default('certs'),
    )
    .addOption(authorityOption())
    .addOption(storePassphraseOption())
    .addOption(signerOption());
}

function authorityOption(): Option {
  return new Option('--authority <name>', 'authority to use (default: the only one with a key)').argParser(
    storeName,
  );
}

export function signerOption(): Option {
  return new Option(
    '--signer-exec <command>',
    'shell command that signs for the authority: the bytes on stdin, the signature on stdout',
  );
}

export function storePassphraseOption(): Option {
  return new Option(
    '--store-passphrase-file <file>',
    "file with the passphrase of the authorities' keys (or set KNSOCK_STORE_PASSPHRASE)",
  );
}

export function keyTypeOption(): Option {
  return new Option('--key-type <type>', 'key type (default: p256)').choices(keyTypes);
}

export async function openStoreOf(
  flags: Pick<StoreFlags, 'store' | 'storePassphraseFile'>,
  output: Output,
): Promise<Store> {
  const { openStore } = await import('@knsock/certs');
  const store = await openStore(flags.store, { passphrase: passphraseSource(flags) });
  for (const warning of store.warnings) output.warn(warning);
  return store;
}

/**
 * For commands that use a store and don't make one: a wrong path must not become an empty store.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND`
 */
export async function requireStoreAt(directory: string): Promise<void> {
  // Anything else that is wrong with it, opening it says.
  const isAbsent = await stat(directory).then(
    () => false,
    (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT',
  );
  if (!isAbsent) return;
  const { CertificateError } = await import('@knsock/certs');
  const message = `there is no authority in ${directory}: there is no such directory`;
  const hint = 'Make one first (knsock certs ca NAME), or is the store another folder?';
  throw new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', message, { file: directory, hint });
}

export async function authorityOf(flags: StoreFlags, output: Output): Promise<Authority> {
  return (await openWithKey(flags, output)).authority;
}

/** The store and the authority; prompts for the passphrase if it isn't configured and there is a terminal. */
export async function openWithKey(
  flags: StoreFlags,
  output: Output,
): Promise<{ store: Store; authority: Authority; signer?: Signer }> {
  await requireStoreAt(flags.store);
  const store = await openStoreOf(flags, output);
  if (flags.signerExec !== undefined) {
    const name = await signedAuthority(store, flags);
    const signer = commandSigner(flags.signerExec, await publicKeyOf(await store.chain(name)));
    return { store, authority: await store.authority(name, { signer }), signer };
  }
  try {
    return { store, authority: await store.authority(flags.authority) };
  } catch (error) {
    const isLocked = (error as { code?: unknown }).code === 'KNSOCK_CERTIFICATE_PASSPHRASE';
    if (!isLocked || passphraseSource(flags) !== undefined || !process.stdin.isTTY) throw error;
  }
  const { openStore } = await import('@knsock/certs');
  const passphrase = await askSecret("Passphrase of the authority's key: ");
  const opened = await openStore(flags.store, { passphrase });
  return { store: opened, authority: await opened.authority(flags.authority) };
}

/** The authority whose key the signer command holds. @throws UsageError */
async function signedAuthority(store: Store, { authority }: StoreFlags): Promise<string> {
  const names = await store.authorities();
  const [only] = names;
  if (authority !== undefined || (names.length === 1 && only !== undefined))
    return authority ?? (only as string);
  throw new UsageError(
    names.length === 0
      ? `there is no authority in ${store.directory}`
      : 'several authorities are in the store',
    names.length === 0
      ? 'Make one first: knsock certs ca NAME.'
      : `Say whose key signs: --authority ${only ?? ''}.`,
  );
}

/** The key of a chain's first certificate. */
export async function publicKeyOf(chain: string): Promise<Signer['publicKey']> {
  const { parseCertificates } = await import('@knsock/core/x509');
  const [own] = parseCertificates(chain);
  return (own as X509Certificate).publicKey;
}

function passphraseSource({ storePassphraseFile: file }: Pick<StoreFlags, 'storePassphraseFile'>) {
  const environment = 'KNSOCK_STORE_PASSPHRASE';
  const fromEnvironment = process.env[environment] === undefined ? undefined : { environment };
  return file === undefined ? fromEnvironment : { file };
}

/** The store of the commands that take it as their argument. */
export function addStoreArgument(command: Command): Command {
  return command
    .argument('[store]', 'directory of the store (default: KNSOCK_STORE, else certs)')
    .addOption(authorityOption());
}

export function storeArgument(store: string | undefined): string {
  const { KNSOCK_STORE = '' } = process.env;
  return store ?? (KNSOCK_STORE === '' ? 'certs' : KNSOCK_STORE);
}
