/** `knsock certs ca` */
import type { Command } from 'commander';
import type { KeyType, Signer, Store } from '@knsock/certs';
import { naming, readInput } from '../../files.js';
import { append, count, countOrNone } from '../../options.js';
import { storeName } from '../../name-flags.js';
import type { Output } from '../../output.js';
import { commandSigner } from '../../signer-command.js';
import { UsageError } from '../../usage-error.js';
import {
  addStoreOptions,
  keyTypeOption,
  openStoreOf,
  publicKeyOf,
  requireStoreAt,
  type StoreFlags,
} from './store-options.js';

interface CaFlags extends StoreFlags {
  name: string;
  under?: string;
  days?: number;
  keyType?: KeyType;
  pathLength?: number;
  permit?: string[];
  exclude?: string[];
  replaces?: string;
  signerKey?: string;
  issuerSignerExec?: string;
}

export function defineCa(command: Command, output: Output): void {
  command
    .description('create a certificate authority: a root or an intermediate')
    .argument('<common-name>', 'its common name, such as "Example CA"')
    .option('--name <name>', 'name of its files in the store', storeName, 'root')
    .option('--under <authority>', 'authority that signs it, for an intermediate', storeName)
    .option(
      '--replaces <root>',
      'root of this store that the new root follows; its key signs the new key',
      storeName,
    )
    .option('--days <n>', 'validity in days (default: 3650, at most until its issuer expires)', count)
    .option('--path-length <n>', 'maximum number of intermediates below it', countOrNone)
    .option('--permit <name>', 'name constraint: permitted domain, network, … (repeatable)', append)
    .option('--exclude <name>', 'name constraint: excluded domain, network, … (repeatable)', append)
    .addOption(keyTypeOption())
    .option(
      '--signer-key <file>',
      'public key of --signer-exec (PEM or DER), for which the certificate is made',
    )
    .option(
      '--issuer-signer-exec <command>',
      "shell command that signs for the authority of --under or --replaces, where its key isn't in the store",
    );
  addStoreOptions(command)
    .addHelpText('after', HELP)
    .action(async (commonName: string, flags: CaFlags) => {
      await makeAuthority(commonName, flags, output);
    });
}

async function makeAuthority(commonName: string, flags: CaFlags, output: Output): Promise<void> {
  const {
    name: file,
    under,
    days,
    keyType,
    pathLength,
    permit: permitted,
    exclude: excluded,
    replaces,
  } = flags;
  const signer = await signerOf(flags);
  const nameConstraints = (permitted ?? excluded) === undefined ? undefined : { permitted, excluded };
  const options = { commonName, days, keyType, pathLength, nameConstraints, file, signer };
  if ((under ?? replaces) !== undefined) await requireStoreAt(flags.store);
  const store = await openStoreOf(flags, output);
  if (under !== undefined && replaces !== undefined)
    throw new UsageError('--replaces makes a root, and --under an intermediate', 'Use one of them.');
  const issuer = await issuerSigner(store, under ?? replaces, flags);
  await namingKey(flags.signerKey, async () => {
    if (under === undefined) await store.createAuthority({ ...options, replaces, replacesSigner: issuer });
    else await (await store.authority(under, { signer: issuer })).intermediate(options);
  });
  const certFile = `${flags.store}/ca/${file}.crt`;
  const keyFile = signer === undefined ? `${flags.store}/ca/${file}.key` : undefined;
  await output.result({ certFile, keyFile }, keyFile === undefined ? certFile : `${certFile}\n${keyFile}`);
}

/** A key that can't be used is the signer's, where there is one. */
async function namingKey(file: string | undefined, make: () => Promise<void>): Promise<void> {
  try {
    await make();
  } catch (error) {
    if (file === undefined || (error as { code?: unknown }).code !== 'KNSOCK_CERTIFICATE_KEY') throw error;
    await naming(file, () => {
      throw error;
    });
  }
}

/** The command that holds the new authority's key. */
async function signerOf({ signerExec, signerKey, under, replaces }: CaFlags): Promise<Signer | undefined> {
  if (signerExec === undefined && signerKey === undefined) return undefined;
  if (signerExec !== undefined && signerKey !== undefined)
    return commandSigner(signerExec, await readInput(signerKey));
  const issuer = under ?? replaces;
  throw new UsageError(
    '--signer-exec and --signer-key go together: what signs for the new authority, and the public key of it',
    signerKey === undefined && issuer !== undefined
      ? `To sign with the key of ${issuer}: --issuer-signer-exec COMMAND.`
      : 'Such as: --signer-exec ./sign --signer-key public.pem.',
  );
}

/** The command that holds the key of the authority that signs the new one. */
async function issuerSigner(
  store: Store,
  issuer: string | undefined,
  { issuerSignerExec: command }: CaFlags,
): Promise<Signer | undefined> {
  if (command === undefined) return undefined;
  if (issuer !== undefined) return commandSigner(command, await publicKeyOf(await store.chain(issuer)));
  throw new UsageError(
    '--issuer-signer-exec signs for another authority, and none is named',
    'Name the issuing authority with --under or --replaces; --signer-exec signs for the new authority itself.',
  );
}

const HELP = `
Examples:
  $ knsock certs ca "Example Root"
  $ knsock certs ca "Example Root" --signer-exec 'openssl dgst -sha256 -sign ca.key' --signer-key ca.pub
  $ knsock certs ca "Example Issuing" --under root --name issuing --permit example.internal
  $ knsock certs ca "Example Issuing" --under root --name issuing --issuer-signer-exec 'openssl dgst -sha256 -sign ca.key'`;
