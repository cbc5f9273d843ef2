/** `knsock serve` */
import { Option, type Command } from 'commander';
import type { ClientCertificates, CredentialFiles, Framing, ListenOptions } from '@knsock/core';
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
import { echo } from '../serving/echo.js';
import { runUntilSignal } from '../serving/lifecycle.js';
import { ServeLog } from '../serving/serve-log.js';
import { UsageError } from '../usage-error.js';

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
}

export function defineServe(command: Command, output: Output): void {
  command
    .option('--host <address>', 'the address to listen on (default: every one of this machine)')
    .option('--port <number>', 'the port to listen on; 0 takes any free one (default: 8443)', port)
    .option('--unix <path>', 'listen on a Unix socket instead');
  addCredentialOptions(command);
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
    .addHelpText('after', HELP)
    .action(async (flags: ServeFlags) => {
      process.exitCode = await serve(flags, output);
    });
}

async function serve(flags: ServeFlags, output: Output): Promise<number> {
  const core = await import('@knsock/core');
  const files = await credentialFiles(flags);
  requireCertificate(files);
  const credentials = await core.loadCredentials(files);
  const base = await framingOf(flags.framing);
  const framing = flags.content === 'json' ? (core.json(base) as unknown as Framing) : base;
  const log = new ServeLog(output);
  const ended = log.watchFailures();
  const server = await core.listen({ ...listenOptions(flags), framing, credentials }, (connection) => {
    log.follow(connection);
    echo(connection, base.name);
  });
  log.listening(server, `echoing ${flags.framing}`);
  const reload = async (): Promise<void> => {
    await server.rotate(await core.loadCredentials(files));
  };
  return runUntilSignal({ server, log, reload }).finally(ended);
}

function listenOptions(flags: ServeFlags): Omit<ListenOptions, 'credentials' | 'framing'> {
  const authorize = allowRules(flags);
  const place =
    flags.unix === undefined ? { port: flags.port ?? 8443, host: flags.host } : { path: flags.unix };
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
It echoes: every message comes back, and every request is answered with its own payload.
SIGTERM or SIGINT lets work in flight finish (a second one ends at once), SIGHUP reloads the files.

Examples:
  $ knsock serve --cert server.crt --key server.key
  $ knsock serve --port 8443 --cert server.crt --key server.key --ca ca.crt --client-cert require
  $ knsock serve --port 0 --json --framing lines --pfx server.p12 --allow-cn app --ca ca.crt`;
