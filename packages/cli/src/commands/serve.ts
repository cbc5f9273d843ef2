/** `knsock serve` */
import { Option, type Command } from 'commander';
import type { ClientCertificates, CredentialFiles, Framing, ListenOptions, SecureServer } from '@knsock/core';
import {
  addAllowOptions,
  addCredentialOptions,
  addFramingOptions,
  addProfileOptions,
  allowRules,
  count,
  credentialFiles,
  framingOf,
  milliseconds,
  port,
  profileOf,
  type AllowFlags,
  type CredentialFlags,
  type FramingFlags,
  type ProfileFlags,
} from '../options.js';
import type { Output } from '../output.js';
import { answeringOf } from '../serving/answering.js';
import { developmentCertificates, type Development } from '../serving/development.js';
import { runUntilSignal } from '../serving/lifecycle.js';
import { ServeLog } from '../serving/serve-log.js';
import { startStatus, type StatusPage } from '../serving/status.js';
import { UsageError } from '../usage-error.js';

const DEFAULT_PORT = 8_443;

interface ServeFlags extends CredentialFlags, FramingFlags, ProfileFlags, AllowFlags {
  host?: string;
  port?: number;
  unix?: string;
  clientCert?: ClientCertificates;
  handshakeTimeout?: number;
  idleTimeout?: number;
  drainTimeout?: number;
  maxConnections?: number;
  content: 'bytes' | 'json';
  exec?: string;
  handler?: string;
  dev?: boolean;
  status?: string;
}

export function defineServe(command: Command, output: Output): void {
  command
    .option('--host <address>', 'the address to listen on (default: every one of this machine)')
    .option('--port <number>', 'the port to listen on; 0 takes any free one (default: 8443)', port)
    .option('--unix <path>', 'listen on a Unix socket instead');
  command
    .option(
      '--exec <command>',
      'run a shell command for each connection, its input and output the connection’s',
    )
    .option('--handler <file>', 'answer requests by the default export of a JavaScript module');
  addCredentialOptions(command);
  command.option('--dev', 'use a development CA of your own, made once; prints how to connect');
  command.addOption(
    new Option(
      '--client-cert <need>',
      'whether clients show a certificate (default: require with --allow-…, else none)',
    ).choices(['none', 'request', 'require']),
  );
  addAllowOptions(command);
  addFramingOptions(command);
  command.addOption(
    new Option('--content <kind>', 'json: every message must be JSON')
      .choices(['bytes', 'json'])
      .default('bytes'),
  );
  addProfileOptions(command);
  command
    .option('--handshake-timeout <ms>', 'from accept to authorised (default: 5000)', milliseconds)
    .option(
      '--idle-timeout <ms>',
      'end connections on which nothing moves for so long (default: never)',
      milliseconds,
    )
    .option(
      '--drain-timeout <ms>',
      'how long work in flight may take at the end (default: 15000)',
      milliseconds,
    )
    .option('--max-connections <n>', 'the most connections at once (default: 10000)', count)
    .option('--status <address>', 'tell /health, /stats and /metrics there over plain HTTP')
    .addHelpText('after', HELP)
    .action(async (flags: ServeFlags) => {
      const framing =
        flags.exec !== undefined && command.getOptionValueSource('framing') === 'default'
          ? 'raw'
          : flags.framing;
      process.exitCode = await serve({ ...flags, framing }, output);
    });
}

async function serve(flags: ServeFlags, output: Output): Promise<number> {
  const log = new ServeLog(output);
  const answering = await answeringOf(flags, log);
  const core = await import('@knsock/core');
  const { files, development } = await filesOf(flags);
  const base = await framingOf(flags.framing);
  const framing = flags.content === 'json' ? (core.json(base) as unknown as Framing) : base;
  const credentials = await core.loadCredentials(files);
  const unwatch = log.watchFailures();
  const server = await core.listen({ ...listenOptions(flags), framing, credentials }, (connection) => {
    log.follow(connection);
    return answering.handle(connection);
  });
  const status = await statusOf(flags, server);
  log.listening(server, answering.what, status?.page.where);
  if (development !== undefined) tellDevelopment(development, flags, server, log);
  log.showStatus(server);
  const reload = async (): Promise<void> => server.rotate(await core.loadCredentials(files));
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

const HELP = `
It echoes unless --exec or --handler says otherwise: every message comes back, and every request is answered with its own payload.
SIGTERM or SIGINT lets work in flight finish (a second one ends at once), SIGHUP reloads the files.
A handler file is a module such as: export default ({ payload, peer, signal }) => \`got \${payload}\`;
A client is admitted that any one of the --allow-… flags admits.

Examples:
  $ knsock serve --dev
  $ knsock serve --cert server.crt --key server.key
  $ knsock serve --port 8443 --cert server.crt --key server.key --ca ca.crt --client-cert require
  $ knsock serve --port 0 --json --framing lines --pfx server.p12 --allow-cn app --ca ca.crt`;
