/** Connects to a target over verified TLS. */
import type {
  ConnectOptions,
  CredentialSource,
  ProxyHeader,
  RevocationSource,
  SecureConnection,
  TlsProfileOptions,
} from '@knsock/core';
import { dialPlain } from './plain.js';
import { askForTls } from './postgres.js';
import type { Target } from './targets.js';

export interface TlsTargetOptions {
  readonly credentials: CredentialSource;
  readonly revocation: RevocationSource | undefined;
  readonly servername: string | undefined;
  readonly pins: readonly string[] | undefined;
  readonly profile: TlsProfileOptions;
  readonly connectTimeout: number;
  readonly idleTimeout: number | undefined;
  readonly drainTimeout: number | undefined;
  /** Requests TLS as PostgreSQL's clients do. */
  readonly postgres: boolean;
}

/** @param header the PROXY protocol header to send first, if any */
export async function dialTls(
  target: Target,
  options: TlsTargetOptions,
  header: ProxyHeader | null,
): Promise<SecureConnection> {
  const { connect, raw, writeProxyHeader } = await import('@knsock/core');
  const base = connectOptions(options, target);
  if (!options.postgres) {
    const place =
      'path' in target ? { path: target.path } : { host: target.host ?? 'localhost', port: target.port };
    return connect({ ...base, ...place, framing: raw(), proxyHeader: header ?? undefined });
  }
  const socket = await dialPlain(target, options.connectTimeout);
  socket.on('error', () => undefined);
  try {
    if (header !== null) socket.write(writeProxyHeader(header));
    await askForTls(socket, AbortSignal.timeout(options.connectTimeout));
    return await connect({ ...base, socket, framing: raw() });
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function connectOptions(options: TlsTargetOptions, target: Target): ConnectOptions {
  const { credentials, revocation, servername, pins, profile, connectTimeout, idleTimeout, drainTimeout } =
    options;
  return {
    credentials,
    revocation,
    servername: servername ?? ('path' in target ? undefined : (target.host ?? 'localhost')),
    pins,
    profile,
    connectTimeout,
    idleTimeout,
    drainTimeout,
  };
}
