/** The flags of servers for a certificate from an ACME server, and what they must have in common. */
import type { AcmeOptions } from '@knsock/certs/acme';
import type { ListenOptions } from '@knsock/core';
import { Option, type Command } from 'commander';
import { append, port } from '../options.js';
import { UsageError } from '../usage-error.js';
import type { AcmeFlags } from './flags.js';

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

export function addAcmeOptions(command: Command): void {
  command
    .option(
      '--acme <name>',
      'get and renew a certificate for this name by ACME, instead of --cert and --key (repeatable)',
      append,
    )
    .option('--acme-dir <folder>', 'folder for account, certificate and keys; created if missing')
    .addOption(
      new Option('--acme-directory <url>', `directory of the CA, such as ${LETS_ENCRYPT}`).conflicts(
        'acmeStaging',
      ),
    )
    .option(
      '--acme-staging',
      "use Let's Encrypt's staging directory, whose certificates browsers don't trust",
    )
    .option('--acme-agree', "agree to the CA's terms of service; without it the error names their URL")
    .option('--acme-email <address>', 'contact address for the CA')
    .option('--acme-eab-kid <id>', 'key ID of the external account, for CAs that require one')
    .option('--acme-eab-key-file <file>', 'file with its HMAC key in base64url')
    .option(
      '--acme-profile <name>',
      "certificate profile of the CA, such as shortlived (default: the CA's choice)",
    )
    .addOption(
      new Option('--acme-key-type <type>', "kind of the certificate's key (default: p256)").choices([
        ...['p256', 'p384', 'rsa2048', 'rsa3072', 'rsa4096'],
      ]),
    )
    .addOption(
      new Option(
        '--acme-challenge <kind>',
        "how to prove control of the names: on the server's own port, or on port 80",
      )
        .choices(['tls-alpn-01', 'http-01'])
        .default('tls-alpn-01'),
    )
    .addOption(
      new Option(
        '--acme-http-port <number>',
        'port that answers http-01, if port 80 is forwarded to it (default: 80)',
      ).argParser(port),
    )
    .option('--acme-ca <file>', 'CA certificate used to verify the directory (default: the public CAs)')
    .option(
      '--acme-proxy <url>',
      'HTTP proxy for requests to the directory (default: HTTPS_PROXY, unless NO_PROXY covers the directory)',
    )
    .hook('preAction', refuseOwn);
}

/** What brings a certificate of its own; in the environment, `--acme` takes precedence over it. */
const own = { cert: '--cert', key: '--key', pfx: '--pfx', pfxKeyName: '--pfx-key-name', dev: '--dev' };

function refuseOwn(command: Command): void {
  if (command.getOptionValue('acme') === undefined) return;
  for (const [name, flag] of Object.entries(own))
    if (command.getOptionValueSource(name) === 'cli')
      command.error(`error: --acme gets its own certificate and can't be combined with ${flag}`);
}

/** An ACME server as the flags choose it. */
export interface AcmePlan {
  readonly domains: readonly string[];
  readonly dir: string;
  /** A URL; null: Let's Encrypt's for trying things. */
  readonly directory: string | null;
  /** Where validations are answered before the server listens, and by http-01 later too. */
  readonly listen: NonNullable<AcmeOptions['listen']>;
}

/** Where the server will listen, and for whom. */
export type ServedPlace = Pick<ListenOptions, 'host' | 'port' | 'path' | 'proxyProtocol' | 'allow' | 'deny'>;

const companions = {
  acmeDir: '--acme-dir',
  acmeDirectory: '--acme-directory',
  acmeStaging: '--acme-staging',
  acmeAgree: '--acme-agree',
  acmeEmail: '--acme-email',
  acmeEabKid: '--acme-eab-kid',
  acmeEabKeyFile: '--acme-eab-key-file',
  acmeProfile: '--acme-profile',
  acmeKeyType: '--acme-key-type',
  acmeHttpPort: '--acme-http-port',
  acmeCa: '--acme-ca',
  acmeProxy: '--acme-proxy',
} as const satisfies Partial<Record<keyof AcmeFlags, string>>;

/** What the flags ask for; undefined without `--acme`. @throws UsageError */
export function acmePlan(flags: AcmeFlags, server: ServedPlace): AcmePlan | undefined {
  const { acme: domains, acmeDir: dir, acmeDirectory, acmeStaging } = flags;
  if (domains === undefined) {
    refuseCompanions(flags);
    return undefined;
  }
  if (dir === undefined)
    throw new UsageError('--acme needs --acme-dir FOLDER, for account, certificate and keys', KEEP);
  const directory = acmeStaging === true ? null : acmeDirectory;
  if (directory === undefined)
    throw new UsageError(
      "--acme needs --acme-directory URL, the CA's directory",
      `Let's Encrypt's is ${LETS_ENCRYPT}; --acme-staging is for trying things.`,
    );
  if ((flags.acmeEabKid === undefined) !== (flags.acmeEabKeyFile === undefined))
    throw new UsageError('--acme-eab-kid and --acme-eab-key-file go together', 'The CA gives you both.');
  return { domains, dir, directory, listen: placeOf(flags, server) };
}

const KEEP = 'A folder on a disk that outlives the program: CAs limit how often they certify the same names.';

function refuseCompanions(flags: AcmeFlags): void {
  for (const [name, flag] of Object.entries(companions))
    if (flags[name as keyof typeof companions] !== undefined)
      throw new UsageError(`${flag} goes with --acme NAME`, 'Which name is the certificate for?');
}

function placeOf({ acmeChallenge, acmeHttpPort }: AcmeFlags, server: ServedPlace): AcmePlan['listen'] {
  const { host, port: served, path, proxyProtocol, allow, deny } = server;
  if (acmeChallenge === 'http-01') return { host, port: acmeHttpPort };
  if (acmeHttpPort !== undefined)
    throw new UsageError('--acme-http-port goes with --acme-challenge http-01', 'Is tls-alpn-01 meant?');
  if (path !== undefined || served === 0)
    throw new UsageError(
      `tls-alpn-01 is answered on the server's own port, which must be known: not ${path === undefined ? 'port 0' : 'a Unix socket'}`,
      'Listen on the port to which port 443 of the name leads, or use --acme-challenge http-01.',
    );
  return { host, port: served, proxyProtocol, allow, deny };
}
