/** `knsock proxy server` */
import type { Command } from 'commander';
import type { SecureConnection } from '@knsock/core';
import { parseAddress } from '../../address.js';
import {
  addAllowOptions,
  addCredentialOptions,
  addProfileOptions,
  allowRules,
  append,
  count,
  credentialFiles,
  milliseconds,
  profileOf,
  type AllowFlags,
  type CredentialFlags,
  type ProfileFlags,
} from '../../options.js';
import type { Output } from '../../output.js';
import { bridge } from '../../proxying/bridge.js';
import { dialPlain, requireLoopback } from '../../proxying/plain.js';
import { Targets } from '../../proxying/targets.js';
import { runUntilSignal } from '../../serving/lifecycle.js';
import { ServeLog } from '../../serving/serve-log.js';
import { startStatus } from '../../serving/status.js';
import { UsageError } from '../../usage-error.js';

interface ProxyServerFlags extends CredentialFlags, ProfileFlags, AllowFlags {
  listen: string;
  target?: string[];
  allowAll?: boolean;
  dangerouslyPlainNetwork?: boolean;
  acceptProxy?: string[];
  connectTimeout: number;
  handshakeTimeout?: number;
  idleTimeout?: number;
  drainTimeout?: number;
  maxConnections?: number;
  status?: string;
}

export function defineProxyServer(command: Command, output: Output): void {
  command
    .description('take TLS connections and pass them on in plain')
    .requiredOption('--listen <address>', 'where to take TLS: host:port, :port or unix:/path')
    .option(
      '--target <address>',
      'where to pass on to, in plain (repeatable: in turn, the next where one is down)',
      append,
    );
  addCredentialOptions(command);
  addAllowOptions(command);
  command
    .option('--allow-all', 'admit everybody, with a certificate of --ca where that is given')
    .option('--dangerously-plain-network', 'allow a target that is not on this machine')
    .option(
      '--accept-proxy <network>',
      'load balancers that tell the true client by the PROXY protocol (repeatable)',
      append,
    );
  addProfileOptions(command);
  command
    .option('--connect-timeout <ms>', 'how long reaching a target may take', milliseconds, 5_000)
    .option('--handshake-timeout <ms>', 'from accept to authorised (default: 5000)', milliseconds)
    .option(
      '--idle-timeout <ms>',
      'end connections on which nothing moves for so long (default: never)',
      milliseconds,
    )
    .option(
      '--drain-timeout <ms>',
      'how long open connections may go on at the end (default: 15000)',
      milliseconds,
    )
    .option('--max-connections <n>', 'the most connections at once (default: 10000)', count)
    .option('--status <address>', 'tell /health, /stats and /metrics there over plain HTTP')
    .addHelpText('after', HELP)
    .action(async (flags: ProxyServerFlags) => {
      process.exitCode = await proxyServer(flags, output);
    });
}

async function proxyServer(flags: ProxyServerFlags, output: Output): Promise<number> {
  requireRule(flags);
  const targets = new Targets(flags.target ?? []);
  requireLoopback(targets.all, flags.dangerouslyPlainNetwork);
  const core = await import('@knsock/core');
  const files = await credentialFiles(flags);
  const log = new ServeLog(output);
  const unwatch = log.watchFailures();
  const server = await core.listen(
    { ...listenOptions(flags), framing: core.raw(), credentials: await core.loadCredentials(files) },
    (connection) => passOn(connection, targets, flags.connectTimeout, log),
  );
  let ready = true;
  const source = { ready: () => ready, stats: () => server.stats() };
  const status = flags.status === undefined ? undefined : await startStatus(flags.status, source);
  log.listening(server, `passing on to ${targets.all.map(({ text }) => text).join(', ')}`, status?.where);
  log.showStatus(server);
  const reload = async (): Promise<void> => server.rotate(await core.loadCredentials(files));
  const code = await runUntilSignal({ server, log, reload, draining: () => (ready = false) });
  status?.close();
  unwatch();
  return code;
}

async function passOn(
  connection: SecureConnection,
  targets: Targets,
  timeout: number,
  log: ServeLog,
): Promise<void> {
  log.follow(connection);
  try {
    const target = await targets.reach((one) => dialPlain(one, timeout));
    await bridge(connection.stream(), target);
  } catch (error) {
    log.failed(`#${connection.id}`, error);
    connection.destroy();
  }
}

function requireRule(flags: ProxyServerFlags): void {
  if (allowRules(flags) !== undefined || flags.allowAll === true) return;
  throw new UsageError(
    'nobody is allowed in: what stands behind a proxy can’t tell its clients apart',
    'Say who may come in (--allow-cn NAME, --allow-dns NAME, …), or --allow-all.',
  );
}

function listenOptions(flags: ProxyServerFlags) {
  const address = parseAddress(flags.listen);
  const authorize = allowRules(flags);
  const judged = authorize !== undefined || flags.ca !== undefined;
  return {
    ...address,
    authorize,
    clientCertificates: judged ? ('require' as const) : ('none' as const),
    proxyProtocol: flags.acceptProxy === undefined ? undefined : { from: flags.acceptProxy },
    profile: profileOf(flags),
    handshakeTimeout: flags.handshakeTimeout,
    idleTimeout: flags.idleTimeout,
    drainTimeout: flags.drainTimeout,
    maxConnections: flags.maxConnections,
  };
}

const HELP = `
Bytes, back-pressure and half-closes go over in both directions. SIGTERM lets open connections end, SIGHUP reloads
the files. Examples:
  $ knsock proxy server --listen :5433 --target 127.0.0.1:5432 --cert server.crt --key server.key --ca ca.crt --allow-cn app
  $ knsock proxy server --listen :8443 --target unix:/run/app.sock --pfx server.p12 --allow-all`;
