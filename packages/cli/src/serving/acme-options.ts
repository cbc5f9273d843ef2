/** The flags of `knsock serve` for a certificate from an ACME server, and what they must have in common. */
import { Option, type Command } from 'commander';
import { append, port } from '../options.js';
import { UsageError } from '../usage-error.js';
import type { AcmeFlags, ServeFlags } from './flags.js';

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
    .option('--acme-staging', "use Let's Encrypt's staging directory, whose certificates nobody trusts")
    .option('--acme-agree', "agree to the CA's terms of service; without it the error names their URL")
    .option('--acme-email <address>', 'where the CA may write to')
    .addOption(
      new Option('--acme-challenge <kind>', "how names are proved: on the server's own port, or on port 80")
        .choices(['tls-alpn-01', 'http-01'])
        .default('tls-alpn-01'),
    )
    .addOption(
      new Option(
        '--acme-http-port <number>',
        'port that answers http-01, where port 80 is forwarded to it (default: 80)',
      ).argParser(port),
    )
    .option('--acme-ca <file>', 'CA certificate used to verify the directory (default: the public CAs)');
}

/** An ACME server as the flags choose it. */
export interface AcmePlan {
  readonly domains: readonly string[];
  readonly dir: string;
  /** A URL; null: Let's Encrypt's for trying things. */
  readonly directory: string | null;
  /** Where validations are answered before the server listens, and by http-01 later too. */
  readonly listen: { readonly host?: string | undefined; readonly port?: number | undefined };
}

const companions = {
  acmeDir: '--acme-dir',
  acmeDirectory: '--acme-directory',
  acmeStaging: '--acme-staging',
  acmeAgree: '--acme-agree',
  acmeEmail: '--acme-email',
  acmeHttpPort: '--acme-http-port',
  acmeCa: '--acme-ca',
} as const satisfies Partial<Record<keyof AcmeFlags, string>>;

/** What the flags ask for; undefined without `--acme`. @param port the server's. @throws UsageError */
export function acmePlan(flags: ServeFlags, servedPort: number): AcmePlan | undefined {
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
  return { domains, dir, directory, listen: placeOf(flags, servedPort) };
}

const KEEP = 'A folder on a disk that outlives the program: CAs limit how often they certify the same names.';

function refuseCompanions(flags: AcmeFlags): void {
  for (const [name, flag] of Object.entries(companions))
    if (flags[name as keyof typeof companions] !== undefined)
      throw new UsageError(`${flag} goes with --acme NAME`, 'Which name is the certificate for?');
}

function placeOf(flags: ServeFlags, servedPort: number): AcmePlan['listen'] {
  const { acmeChallenge, acmeHttpPort, host, unix } = flags;
  if (acmeChallenge === 'http-01') return { host, port: acmeHttpPort };
  if (acmeHttpPort !== undefined)
    throw new UsageError('--acme-http-port goes with --acme-challenge http-01', 'Is tls-alpn-01 meant?');
  if (unix !== undefined || servedPort === 0)
    throw new UsageError(
      `tls-alpn-01 is answered on the server's own port, which must be known: not with ${unix === undefined ? '--port 0' : '--unix'}`,
      'Set --port, to which port 443 of the name leads, or use --acme-challenge http-01.',
    );
  return { host, port: servedPort };
}
