/** `knsock proxy server` */
import type { Socket } from 'node:net';
import type { Command } from 'commander';
import type { CredentialFiles, Framing, ProxyHeader, SecureConnection } from '@knsock/core';
import { addAcmeOptions } from '../../serving/acme-options.js';
import type { AcmeFlags } from '../../serving/flags.js';
import { ownCredentials } from '../../serving/served-credentials.js';
import { requireUsedTrust } from '../../serving/listen-options.js';
import { handshakeTimeoutOption, perAddressOption } from '../../serving/limit-options.js';
import { parseAddress, showAddress } from '../../address.js';
import {
  addAllowOptions,
  addCredentialOptions,
  addProfileOptions,
  allowRules,
  appendPin,
  caOption,
  credentialFiles,
  profileOf,
  type AllowFlags,
  type CredentialFlags,
  type ProfileFlags,
  passphraseOf,
  address,
  appendAddress,
} from '../../options.js';
import type { Output } from '../../output.js';
import { dialPlain, requireLoopback } from '../../proxying/plain.js';
import { answerSslRequest, POSTGRES_ALPN } from '../../proxying/postgres.js';
import { refusalOf } from '../../proxying/postgres-answer.js';
import { addressesOf, headerOf, type Origin } from '../../proxying/proxy-protocol.js';
import { ProxyContext, runProxy } from '../../proxying/run-proxy.js';
import { parseTargets, Targets, type Target } from '../../proxying/targets.js';
import { dialTls, type TlsTargetOptions } from '../../proxying/tls-target.js';
import { refreshWith } from '../../revocation-lists.js';
import { UsageError } from '../../usage-error.js';
import {
  addLifeOptions,
  addProxyProtocolOptions,
  headerVersion,
  type SharedProxyFlags,
} from './shared-options.js';

interface ProxyServerFlags extends SharedProxyFlags, CredentialFlags, AcmeFlags, ProfileFlags, AllowFlags {
  allowAll?: boolean;
  targetTls?: boolean;
  targetCa?: string[];
  targetCert?: string;
  targetKey?: string;
  targetPfx?: string;
  targetPfxKeyName?: string;
  targetPassphraseFile?: string;
  targetServername?: string;
  targetPin?: string[];
  handshakeTimeout?: number;
  maxConnectionsPerAddress?: number;
}

/** The target of a server's connections. */
type Far = Socket | SecureConnection;
type Dial = (target: Target, header: ProxyHeader | null) => Promise<Far>;

export function defineProxyServer(command: Command, output: Output): void {
  command
    .description('accept TLS connections and forward them, in plain text or over TLS')
    .requiredOption('--listen <address>', 'address to accept TLS on: host:port, :port or unix:/path', address)
    .option(
      '--target <address>',
      'address to forward to (repeatable: round robin, skipping those that are down)',
      appendAddress,
    );
  addCredentialOptions(command);
  addAcmeOptions(command);
  addAllowOptions(command);
  command
    .option('--allow-all', 'admit every client; with --ca, every client with a certificate of that CA')
    .option('--postgres', "accept PostgreSQL's SSLRequest before TLS")
    .option('--dangerously-plain-network', 'allow a plain-text target on another machine');
  addTargetOptions(command);
  addProxyProtocolOptions(command);
  addProfileOptions(command);
  command.addOption(handshakeTimeoutOption()).addOption(perAddressOption());
  addLifeOptions(command);
  command.addHelpText('after', HELP).action(async (flags: ProxyServerFlags) => {
    process.exitCode = await proxyServer(flags, output);
  });
}

function addTargetOptions(command: Command): void {
  command
    .option('--target-tls', 'connect to the target over TLS, and verify it')
    .addOption(
      caOption(
        "CA certificate used to verify the target (PEM or DER; repeatable; default: Node's own roots)",
        '--target-ca',
      ),
    )
    .option('--target-cert <file>', 'client certificate for the target (PEM)')
    .option('--target-key <file>', 'its private key')
    .option('--target-pfx <file>', 'both as PKCS#12, instead of --target-cert and --target-key')
    .option(
      '--target-pfx-key-name <name>',
      "key of a PKCS#12 file with several, by its friendly name (Java's alias)",
    )
    .option('--target-passphrase-file <file>', "file with the passphrase of the target's key")
    .option('--target-servername <name>', "name to expect in the target's certificate (default: its host)")
    .option(
      '--target-pin <pin>',
      "public key that the target's chain must contain, sha256/… (repeatable)",
      appendPin,
    );
}

async function proxyServer(flags: ProxyServerFlags, output: Output): Promise<number> {
  requireRule(flags);
  const places = parseTargets(flags.target);
  requireTlsForTargetFlags(flags);
  if (flags.targetTls !== true) requireLoopback(places, flags.dangerouslyPlainNetwork);
  const core = await import('@knsock/core');
  const context = new ProxyContext(output);
  requireUsedTrust(flags, listenOptions(flags));
  const revocation = await context.followLists(flags);
  const far = flags.targetTls === true ? await context.log.watch(await targetFiles(flags)) : null;
  const dial = far === null ? plainDial(flags) : tlsDial(flags, far);
  const probe = flags.sendProxy === undefined ? null : { source: null, destination: null };
  const targets = new Targets<Far>(places, (target) => dial(target, probe), context.targetEvents);
  const unwatch = context.log.watchFailures();
  const place = listenOptions(flags);
  // Last before the server listens: a renewal that is due would soon open the port itself.
  const own = await ownCredentials(flags, await credentialFiles(flags), place, context.log);
  refreshWith(own.source, revocation);
  const server = await core.listen(
    { ...place, framing: framings(flags, core.raw()), credentials: own.source, revocation },
    (connection) => passOn(connection, targets, dial, context, flags),
  );
  const how = flags.targetTls === true ? ' over TLS' : '';
  const words = `forwarding to ${places.map(({ text }) => text).join(', ')}${how}`;
  const code = await runProxy(context, {
    server,
    targets,
    credentials: far === null ? [own] : [own, far],
    revocation,
    drainTimeout: flags.drainTimeout,
    statusAddress: flags.status,
    announce: (status) => {
      context.log.listening(server, words, status);
      context.log.showStatus(server);
    },
  });
  unwatch();
  return code;
}

/** Done once a target is reached; from then on the relay takes over. */
async function passOn(
  connection: SecureConnection,
  targets: Targets<Far>,
  dial: Dial,
  { tunnels }: ProxyContext,
  flags: ProxyServerFlags,
): Promise<void> {
  const { remote, peer, id } = connection;
  const from = remote === null ? 'unix' : showAddress(remote);
  const version = headerVersion(flags);
  const header = version === null ? null : headerOf(connection, originOf(connection), version);
  try {
    const reached = await targets.reach((one) => dial(one, header));
    tunnels.carry({ id, from, subject: peer?.subject ?? null }, reached, connection.relay(reached.far));
  } catch (error) {
    tunnels.failed(from, error);
    if (flags.postgres === true) await answerRefusal(connection, error);
    connection.destroy();
  }
}

/** PostgreSQL clients wait for an error message; how long one may take to receive it. */
async function answerRefusal(connection: SecureConnection, error: unknown): Promise<void> {
  await connection.send(refusalOf(error)).catch(() => undefined);
  await connection.close({ deadline: 1_000 });
}

/** The client and its local address, as reported by a trusted proxy if there is one. */
function originOf({ proxy, socket }: SecureConnection): Origin {
  return proxy === null || proxy.source === null ? addressesOf(socket) : proxy;
}

function plainDial({ connectTimeout }: ProxyServerFlags): Dial {
  return async (target, header) => {
    const socket = await dialPlain(target, connectTimeout);
    if (header !== null) socket.write((await import('@knsock/core')).writeProxyHeader(header));
    return socket;
  };
}

function tlsDial(flags: ProxyServerFlags, credentials: TlsTargetOptions['credentials']): Dial {
  const options: TlsTargetOptions = {
    credentials,
    revocation: undefined,
    servername: flags.targetServername,
    pins: flags.targetPin,
    profile: profileOf(flags),
    connectTimeout: flags.connectTimeout,
    idleTimeout: undefined,
    drainTimeout: flags.drainTimeout,
    postgres: flags.postgres === true,
  };
  return (target, header) => dialTls(target, options, header);
}

async function targetFiles(flags: ProxyServerFlags): Promise<CredentialFiles> {
  const { targetPassphraseFile: file } = flags;
  return {
    caFile: flags.targetCa,
    certFile: flags.targetCert,
    keyFile: flags.targetKey,
    pfxFile: flags.targetPfx,
    pfxKeyName: flags.targetPfxKeyName,
    // KNSOCK_PASSPHRASE is for the proxy's own key.
    passphrase: file === undefined ? undefined : await passphraseOf(file),
  };
}

function requireRule(flags: ProxyServerFlags): void {
  if (allowRules(flags) !== undefined || flags.allowAll === true) return;
  throw new UsageError(
    "no client is admitted: the program behind a proxy can't distinguish its clients",
    'Set which clients are admitted (--allow-cn NAME, --allow-dns NAME, …), or --allow-all.',
  );
}

/** Options for verifying the target imply that it is verified. */
function requireTlsForTargetFlags(flags: ProxyServerFlags): void {
  const isGiven = Object.keys(flags).some((name) => /^target./.test(name) && name !== 'targetTls');
  if (!isGiven || flags.targetTls === true) return;
  throw new UsageError('the --target-… options are for a target over TLS', 'Add --target-tls.');
}

/** Clients that begin with TLS directly require the ALPN protocol to be selected. */
function framings({ postgres }: ProxyServerFlags, raw: Framing): Framing[] {
  return postgres === true ? [{ ...raw, alpn: POSTGRES_ALPN }, raw] : [raw];
}

function listenOptions(flags: ProxyServerFlags) {
  const address = parseAddress(flags.listen);
  const authorize = allowRules(flags);
  const judged = authorize !== undefined || flags.ca !== undefined;
  return {
    ...address,
    authorize,
    clientCertificates: judged ? ('require' as const) : ('none' as const),
    proxyProtocol: flags.proxyProtocolFrom === undefined ? undefined : { from: flags.proxyProtocolFrom },
    beforeTls: flags.postgres === true ? answerSslRequest : undefined,
    profile: profileOf(flags),
    handshakeTimeout: flags.handshakeTimeout,
    idleTimeout: flags.idleTimeout,
    drainTimeout: flags.drainTimeout,
    maxConnections: flags.maxConnections,
    maxConnectionsPerAddress: flags.maxConnectionsPerAddress,
  };
}

const HELP = `
Bytes, back-pressure and half-closes are forwarded in both directions. SIGTERM waits for open connections to end;
changed certificate files are loaded automatically, and at once on SIGHUP. See knsock docs proxy.
With --acme it answers the CA on its own port (tls-alpn-01), which port 443 of the names must lead to: see knsock docs acme.

Examples:
  $ knsock proxy server --listen :5433 --target 127.0.0.1:5432 --cert server.crt --key server.key --ca ca.crt --allow-cn app
  $ knsock proxy server --listen :443 --target 127.0.0.1:8080 --acme app.example.com --acme-dir acme --acme-staging --acme-agree --allow-all
  $ knsock proxy server --listen :5432 --postgres --target unix:/run/postgresql/.s.PGSQL.5432 --pfx server.p12 --allow-all
  $ knsock proxy server --listen :8443 --target app.internal:8443 --target-tls --target-ca ca.crt --pfx server.p12 --allow-all`;
