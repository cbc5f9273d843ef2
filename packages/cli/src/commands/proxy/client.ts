/** `knsock proxy client` */
import type { BlockList, Socket } from 'node:net';
import type { Command } from 'commander';
import type { SecureConnection } from '@knsock/core';
import { parseAddress, showAddress } from '../../address.js';
import {
  addCredentialOptions,
  addProfileOptions,
  credentialFiles,
  profileOf,
  type CredentialFlags,
  type ProfileFlags,
  addServerOptions,
  address,
  appendAddress,
} from '../../options.js';
import { refreshWith } from '../../revocation-lists.js';
import type { Output } from '../../output.js';
import { PlainListener } from '../../proxying/plain-listener.js';
import { requireLoopback } from '../../proxying/plain.js';
import { declineTls, type PlainOpening } from '../../proxying/postgres.js';
import { refusalOf, startSession } from '../../proxying/postgres-answer.js';
import { addressesOf, originOf, trustedProxies, type Origin } from '../../proxying/proxy-protocol.js';
import { ProxyContext, runProxy } from '../../proxying/run-proxy.js';
import { parseTargets, Targets, type Reached } from '../../proxying/targets.js';
import { dialTls, type TlsTargetOptions } from '../../proxying/tls-target.js';
import {
  addLifeOptions,
  addProxyProtocolOptions,
  headerVersion,
  type SharedProxyFlags,
} from './shared-options.js';

interface ProxyClientFlags extends SharedProxyFlags, CredentialFlags, ProfileFlags {
  servername?: string;
  pin?: string[];
}

/** How plain connections are forwarded. */
interface Passing {
  readonly targets: Targets<SecureConnection>;
  readonly tls: TlsTargetOptions;
  readonly proxies: BlockList | null;
  readonly header: 1 | 2 | null;
  readonly context: ProxyContext;
}

interface Beginning {
  readonly origin: Origin;
  /** The request of a PostgreSQL client; null for others. */
  readonly opening: PlainOpening | null;
}

export function defineProxyClient(command: Command, output: Output): void {
  command
    .description('accept plain connections and forward them over TLS')
    .requiredOption(
      '--listen <address>',
      'address to accept plain connections on: host:port, :port or unix:/path',
      address,
    )
    .option(
      '--target <address>',
      'TLS server to forward to (repeatable: round robin, skipping those that are down)',
      appendAddress,
    );
  addCredentialOptions(command);
  addServerOptions(command)
    .option('--postgres', "send PostgreSQL's SSLRequest before TLS")
    .option(
      '--dangerously-plain-network',
      'allow listening for plain text on an address that other machines reach',
    );
  addProxyProtocolOptions(command);
  addProfileOptions(command);
  addLifeOptions(command);
  command.addHelpText('after', HELP).action(async (flags: ProxyClientFlags) => {
    process.exitCode = await proxyClient(flags, output);
  });
}

async function proxyClient(flags: ProxyClientFlags, output: Output): Promise<number> {
  const places = parseTargets(flags.target);
  const address = parseAddress(flags.listen);
  requireLoopback([address], flags.dangerouslyPlainNetwork);
  const context = new ProxyContext(output);
  const credentials = await context.log.watch(await credentialFiles(flags));
  const revocation = await context.followLists(flags);
  refreshWith(credentials, revocation);
  const passing = passingOf(flags, context, { credentials, revocation });
  const listener = new PlainListener((socket) => void passOn(socket, passing), flags);
  const place = await listener.listen(address);
  const unwatch = context.log.watchFailures();
  const words = places.map(({ text }) => text).join(', ');
  const code = await runProxy(context, {
    server: listener,
    targets: passing.targets,
    credentials: [credentials],
    revocation,
    drainTimeout: flags.drainTimeout,
    statusAddress: flags.status,
    announce: (status) => {
      const page = status === undefined ? '' : `; status at ${status}`;
      const text = `listening on ${showAddress(place)} in plain text, forwarding to ${words} over TLS${page}`;
      context.log.event('listening', { ...place, status }, text);
    },
  });
  unwatch();
  return code;
}

function passingOf(
  flags: ProxyClientFlags,
  context: ProxyContext,
  trust: Pick<TlsTargetOptions, 'credentials' | 'revocation'>,
): Passing {
  const tls: TlsTargetOptions = {
    ...trust,
    servername: flags.servername,
    pins: flags.pin,
    profile: profileOf(flags),
    connectTimeout: flags.connectTimeout,
    idleTimeout: flags.idleTimeout,
    drainTimeout: flags.drainTimeout,
    postgres: flags.postgres === true,
  };
  const header = headerVersion(flags);
  const probe = header === null ? null : { source: null, destination: null, version: header };
  const targets = new Targets(
    parseTargets(flags.target),
    (target) => dialTls(target, tls, probe),
    context.targetEvents,
  );
  const proxies = flags.proxyProtocolFrom === undefined ? null : trustedProxies(flags.proxyProtocolFrom);
  return { targets, tls, proxies, header, context };
}

let lastId = 0;

async function passOn(socket: Socket, passing: Passing): Promise<void> {
  const { targets, tls, header: version, context } = passing;
  const id = ++lastId;
  let from = fromOf(addressesOf(socket));
  let opening: PlainOpening | null = null;
  try {
    const begun = await beginning(socket, passing);
    from = fromOf(begun.origin);
    opening = begun.opening;
    const header = version === null ? null : { ...begun.origin, version };
    const reached = await targets.reach((one) => dialTls(one, tls, header));
    if (opening === 'startup') await start(socket, reached, tls.connectTimeout);
    context.tunnels.carry({ id, from, subject: null }, reached, reached.far.relay(socket));
  } catch (error) {
    context.tunnels.failed(from, error);
    if (opening === 'startup') socket.write(refusalOf(error));
    socket.destroySoon();
  }
}

async function start(
  socket: Socket,
  { far, release }: Reached<SecureConnection>,
  timeout: number,
): Promise<void> {
  try {
    await startSession(socket, far, timeout);
  } catch (error) {
    far.destroy();
    release();
    throw error;
  }
}

/** What precedes the forwarded bytes. */
async function beginning(socket: Socket, { proxies, tls }: Passing): Promise<Beginning> {
  if (proxies === null && !tls.postgres) return { origin: addressesOf(socket), opening: null };
  const signal = AbortSignal.timeout(tls.connectTimeout);
  const origin = await originOf(socket, proxies, signal);
  return { origin, opening: tls.postgres ? await declineTls(socket, signal) : null };
}

function fromOf({ source }: Origin): string {
  return source === null ? 'unix' : showAddress(source);
}

const HELP = `
The server's certificate is verified. Several targets are used in turn; one that can't be reached is skipped until it
answers again. See knsock docs proxy.

Examples:
  $ knsock proxy client --listen 127.0.0.1:5432 --target db.internal:5433 --cert app.crt --key app.key --ca ca.crt
  $ psql 'host=127.0.0.1 port=5432 sslmode=disable'
  $ knsock proxy client --postgres --listen unix:/run/db/.s.PGSQL.5432 --target db.internal:5432 --ca ca.crt`;
