/** What `knsock serve` does once its arguments are read. */
import {
  listen,
  loadCredentials,
  type CredentialFiles,
  type ListenOptions,
  type SecureServer,
} from '@knsock/core';
import { framingOf } from '../framings.js';
import { allowRules, credentialFiles, profileOf } from '../options.js';
import type { Output } from '../output.js';
import { UsageError } from '../usage-error.js';
import { answeringOf } from './answering.js';
import { developmentCertificates, type Development } from './development.js';
import type { ServeFlags } from './flags.js';
import { runUntilSignal } from './lifecycle.js';
import { ServeLog } from './serve-log.js';
import { startStatus, type StatusPage } from './status.js';

const DEFAULT_PORT = 8_443;

export async function serve(flags: ServeFlags, output: Output): Promise<number> {
  const log = new ServeLog(output);
  const answering = await answeringOf(flags, log);
  const { files, development } = await filesOf(flags);
  const framing = framingOf(flags);
  const credentials = await loadCredentials(files);
  const unwatch = log.watchFailures();
  const server = await listen({ ...listenOptions(flags), framing, credentials }, (connection) => {
    log.follow(connection);
    return answering.handle(connection);
  });
  const status = await statusOf(flags, server);
  log.listening(server, answering.what, status?.page.where);
  if (development !== undefined) tellDevelopment(development, flags, server, log);
  log.showStatus(server);
  const reload = async (): Promise<void> => server.rotate(await loadCredentials(files));
  const code = await runUntilSignal({ server, log, reload, draining: () => status?.draining() });
  status?.page.close();
  unwatch();
  return code;
}

/** The files to load, now and at each reload; with --dev also what a client needs. */
async function filesOf(flags: ServeFlags): Promise<{ files: CredentialFiles; development?: Development }> {
  if (flags.dev === true) {
    const development = await developmentCertificates();
    return { files: development.server, development };
  }
  const files = await credentialFiles(flags);
  requireCertificate(files);
  return { files };
}

/** Prints the command that connects. */
function tellDevelopment(
  { folder, client }: Development,
  { framing }: ServeFlags,
  { address }: SecureServer,
  log: ServeLog,
): void {
  const place =
    'path' in address ? `unix:${address.path} --servername localhost` : `localhost:${address.port}`;
  const speaking = framing === 'knsock' ? '' : ` --framing ${framing}`;
  const identity = `--cert ${client.certFile} --key ${client.keyFile} --ca ${client.caFile}`;
  const connect = `knsock send ${place} hello${speaking} ${identity}`;
  log.event('development', { folder, connect }, `certificates are in ${folder}; to connect:\n  ${connect}`);
}

async function statusOf(
  { status: address }: ServeFlags,
  server: SecureServer,
): Promise<{ page: StatusPage; draining: () => void } | undefined> {
  if (address === undefined) return undefined;
  let ready = true;
  const page = await startStatus(address, { ready: () => ready, stats: () => server.stats() });
  return { page, draining: () => (ready = false) };
}

function listenOptions(flags: ServeFlags): Omit<ListenOptions, 'credentials' | 'framing'> {
  const authorize = allowRules(flags);
  const place =
    flags.unix === undefined ? { port: flags.port ?? DEFAULT_PORT, host: flags.host } : { path: flags.unix };
  return {
    ...place,
    authorize,
    clientCertificates: flags.clientCert ?? (authorize === undefined ? 'none' : 'require'),
    profile: profileOf(flags),
    handshakeTimeout: flags.handshakeTimeout,
    idleTimeout: flags.idleTimeout,
    drainTimeout: flags.drainTimeout,
    maxMessageBytes: flags.maxMessage,
    maxConnections: flags.maxConnections,
  };
}

function requireCertificate({ certFile, keyFile, pfxFile }: CredentialFiles): void {
  if (certFile !== undefined || keyFile !== undefined || pfxFile !== undefined) return;
  throw new UsageError(
    'a server needs a certificate: --cert FILE --key FILE, or --pfx FILE',
    'knsock certs init certs makes a CA, a server and a client certificate in one go.',
  );
}
