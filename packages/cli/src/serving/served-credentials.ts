/** What a server shows and trusts: files that SIGHUP reloads, or a certificate that renews itself. */
import {
  loadCredentials,
  type CredentialFiles,
  type Credentials,
  type CredentialSource,
  type SecureServer,
} from '@knsock/core';
import { credentialFiles } from '../options.js';
import { UsageError } from '../usage-error.js';
import { acmeSource } from './acme.js';
import { acmePlan, type AcmePlan, type ServedPlace } from './acme-options.js';
import { onHangUp } from './hang-up.js';
import { developmentCertificates, type Development } from './development.js';
import type { AcmeFlags, ServeFlags } from './flags.js';
import type { ServeLog } from './serve-log.js';

export interface ServedCredentials {
  /** What the server is given. */
  readonly source: Credentials | CredentialSource;
  readonly current: () => Credentials;
  /** What a client needs, with --dev. */
  readonly development?: Development | undefined;
  /** On SIGHUP. @throws CredentialsError; the current ones stay */
  readonly reload: (server: SecureServer) => Promise<unknown>;
  readonly close: () => void | Promise<void>;
}

/** @param server where it will listen */
export async function servedCredentials(
  flags: ServeFlags,
  server: ServedPlace,
  log: ServeLog,
): Promise<ServedCredentials> {
  const warn = log.credentialWarnings();
  if (flags.dev === true) {
    const development = await developmentCertificates();
    return { ...(await ofFiles(development.server, warn)), development };
  }
  const files = await credentialFiles(flags);
  const renewed = await renewedCredentials(flags, files, server, log);
  if (renewed !== undefined) {
    const { source, reload, close } = renewed;
    return { source, current: () => source.current, reload, close };
  }
  requireCertificate(files);
  return ofFiles(files, warn);
}

type Warn = (credentials: Credentials) => void;

async function ofFiles(files: CredentialFiles, warn: Warn): Promise<ServedCredentials> {
  const source = await loadCredentials(files);
  warn(source);
  let current = source;
  return {
    source,
    current: () => current,
    reload: async (server) => {
      const next = await loadCredentials(files);
      await server.rotate(next);
      current = next;
      warn(next);
    },
    close: () => undefined,
  };
}

/** Credentials that follow their files. */
export interface FollowedCredentials {
  readonly source: CredentialSource;
  /** On SIGHUP. */
  readonly reload: () => Promise<unknown>;
  readonly close: () => void | Promise<void>;
}

/**
 * The certificate that `--acme` asks for; undefined without that flag.
 * @param files of which the CA of the clients, and its lists, are used
 * @param server where it will listen
 */
export async function renewedCredentials(
  flags: AcmeFlags,
  files: CredentialFiles,
  server: ServedPlace,
  log: ServeLog,
): Promise<FollowedCredentials | undefined> {
  const plan = acmePlan(flags, server);
  if (plan === undefined) return undefined;
  const source = await ordered(plan, flags, files, log);
  const warn = log.credentialWarnings();
  warn(source.current);
  source.onChange(warn);
  return { source, reload: () => Promise.resolve(), close: () => source.close() };
}

/** An order may take minutes: a SIGHUP meanwhile has nothing to reload. */
async function ordered(plan: AcmePlan, flags: AcmeFlags, files: CredentialFiles, log: ServeLog) {
  const unhear = onHangUp({ act: () => undefined, stop: () => process.exit(129) });
  try {
    return await acmeSource(plan, flags, files, log);
  } finally {
    unhear();
  }
}

function requireCertificate({ certFile, keyFile, pfxFile }: CredentialFiles): void {
  if (certFile !== undefined || keyFile !== undefined || pfxFile !== undefined) return;
  throw new UsageError(
    'a server needs a certificate: --cert FILE --key FILE, --pfx FILE, or --acme NAME',
    'knsock certs init certs makes a CA, a server and a client certificate in one go.',
  );
}
