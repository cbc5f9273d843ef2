/** What a server shows and trusts: files that are followed, or a certificate that renews itself. */
import type { CredentialFiles, CredentialSource } from '@knsock/core';
import { credentialFiles } from '../options.js';
import { UsageError } from '../usage-error.js';
import { acmeSource } from './acme.js';
import { acmePlan, type ServedPlace } from './acme-options.js';
import { developmentCertificates, type Development } from './development.js';
import type { AcmeFlags, ServeFlags } from './flags.js';
import type { ServeLog } from './serve-log.js';

/** Credentials that follow their files. */
export interface FollowedCredentials {
  readonly source: CredentialSource;
  /** On SIGHUP. @throws CredentialsError; the current ones stay */
  readonly reload: () => Promise<unknown>;
  readonly close: () => void | Promise<void>;
}

export interface ServedCredentials extends FollowedCredentials {
  /** What a client needs, with --dev. */
  readonly development?: Development | undefined;
}

/** @param server where it will listen */
export async function servedCredentials(
  flags: ServeFlags,
  server: ServedPlace,
  log: ServeLog,
): Promise<ServedCredentials> {
  if (flags.dev === true) {
    const development = await developmentCertificates();
    return { ...(await followedFiles(development.server, log)), development };
  }
  return ownCredentials(flags, await credentialFiles(flags), server, log);
}

/** The certificate of `--acme`, or the one in the files. */
export async function ownCredentials(
  flags: AcmeFlags,
  files: CredentialFiles,
  server: ServedPlace,
  log: ServeLog,
): Promise<FollowedCredentials> {
  const renewed = await renewedCredentials(flags, files, server, log);
  if (renewed !== undefined) return renewed;
  requireCertificate(files);
  return followedFiles(files, log);
}

async function followedFiles(files: CredentialFiles, log: ServeLog): Promise<FollowedCredentials> {
  const source = await log.watch(files);
  return {
    source,
    reload: () => source.reload(),
    close: () => {
      source.close();
    },
  };
}

/**
 * The certificate that `--acme` asks for; undefined without that flag.
 * @param files of which the CA of the clients, and its lists, are used
 * @param server where it will listen
 */
async function renewedCredentials(
  flags: AcmeFlags,
  files: CredentialFiles,
  server: ServedPlace,
  log: ServeLog,
): Promise<FollowedCredentials | undefined> {
  const plan = acmePlan(flags, server);
  if (plan === undefined) return undefined;
  const source = await acmeSource(plan, flags, files, log);
  const warn = log.credentialWarnings();
  warn(source.current);
  source.onWarnings((warnings) => {
    warn({ warnings });
  });
  return { source, reload: () => Promise.resolve(), close: () => source.close() };
}

function requireCertificate({ certFile, keyFile, pfxFile }: CredentialFiles): void {
  if (certFile !== undefined || keyFile !== undefined || pfxFile !== undefined) return;
  throw new UsageError(
    'a server needs a certificate: --cert FILE --key FILE, --pfx FILE, or --acme NAME',
    'knsock certs init certs makes a CA, a server and a client certificate in one go.',
  );
}
