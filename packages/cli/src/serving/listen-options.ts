/** The flags of `knsock serve` as core's options. */
import type { ListenOptions } from '@knsock/core';
import { allowRules, profileOf } from '../options.js';
import { UsageError } from '../usage-error.js';
import type { ListenerFlags, ServeFlags } from './flags.js';

const DEFAULT_PORT = 8_443;

/** Each connection has its own process then. */
const MOST_PROCESSES = 100;

type Options = Omit<ListenOptions, 'credentials' | 'framing'>;

export function listenOptions(flags: ServeFlags): Options {
  const authorize = allowRules(flags);
  const asks = authorize !== undefined || flags.ca !== undefined;
  return {
    ...placeOf(flags),
    ...limitsOf(flags),
    authorize,
    clientCertificates: flags.clientCert ?? (asks ? 'require' : 'none'),
    profile: profileOf(flags),
    maxMessageBytes: flags.maxMessage,
  };
}

/** @throws UsageError for CAs and lists that no client would be checked against */
export function requireUsedTrust(
  { ca, crl }: Pick<ServeFlags, 'ca' | 'crl'>,
  { clientCertificates }: Pick<ListenOptions, 'clientCertificates'>,
): void {
  if (clientCertificates !== 'none') return;
  if (ca !== undefined)
    throw new UsageError(
      '--ca verifies client certificates, and --client-cert none asks no client for one',
      'Leave one of them out.',
    );
  if (crl === undefined) return;
  throw new UsageError(
    '--crl revokes client certificates, and no client is asked for one',
    "Add --ca with the CA of the clients' certificates, or leave --crl out.",
  );
}

function placeOf({ unix, host, port = DEFAULT_PORT }: ServeFlags): Options {
  return unix === undefined ? { port, host } : { path: unix };
}

function limitsOf(flags: ServeFlags): Options {
  return {
    ...listenerOptions(flags),
    firstMessageTimeout: flags.firstMessageTimeout,
    maxConnections: flags.maxConnections ?? (flags.exec === undefined ? undefined : MOST_PROCESSES),
    maxQueuedBytes: flags.maxQueued,
    maxRequestsInFlight: flags.maxRequests,
  };
}

/** The flags of `addListenerOptions` as core's options. */
export function listenerOptions(flags: ListenerFlags) {
  const { proxyProtocolFrom: proxies } = flags;
  return {
    handshakeTimeout: flags.handshakeTimeout,
    idleTimeout: flags.idleTimeout,
    maxLifetime: flags.maxLifetime,
    drainTimeout: flags.drainTimeout,
    maxConnections: flags.maxConnections,
    maxConnectionsPerAddress: flags.maxConnectionsPerAddress,
    acceptRate: flags.acceptRate,
    allow: flags.allowFrom,
    deny: flags.denyFrom,
    proxyProtocol: proxies === undefined ? undefined : { from: proxies },
  } satisfies Options;
}
