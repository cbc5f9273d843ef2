/** The certificates that a server sends. They are only inspected, nothing is trusted. */
import { InvalidOptionError } from '@knsock/core/errors';
import {
  abortSignal,
  milliseconds,
  readOptions,
  withDeadline,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { isIP } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { CertificateError } from '../errors.js';

/** A server to inspect. */
export interface LiveSource {
  /** A name or an address. */
  readonly host: string;
  /** From 1 to 65535. */
  readonly port: number;
  /** The server name to request (SNI); default the host, unless that is an address. */
  readonly servername?: string | undefined;
}

/** How long to wait for the server. */
export interface LiveOptions {
  /** In ms; default 10,000. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const liveReaders = {
  timeout: withDefault(milliseconds, 10_000),
  signal: abortSignal,
} as const satisfies OptionReaders<LiveOptions>;

/**
 * The certificates of a server as DER, leaf first, as far as they form a chain.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNREACHABLE`; the signal's reason where it fires first.
 */
export async function fetchChain(source: LiveSource, options: LiveOptions = {}): Promise<Buffer[]> {
  const { host, port } = source;
  const { timeout, signal } = readOptions(options, liveReaders);
  signal?.throwIfAborted();
  const socket = await open(source);
  const seen = { chain: [] as Buffer[] };
  // TLS 1.2 servers that require a client certificate end the handshake after sending their own certificate.
  socket.on('keylog', () => (seen.chain = chainOf(socket)));
  try {
    const late = () => new Error(`no answer in ${timeout} ms`);
    await withDeadline({ ms: timeout, signal, run: () => secured(socket), late }).catch((error: unknown) => {
      if (seen.chain.length === 0) throw error;
    });
    const chain = seen.chain.length > 0 ? seen.chain : chainOf(socket);
    if (chain.length === 0) throw new Error('it sent no certificate');
    return chain;
  } catch (cause) {
    signal?.throwIfAborted();
    const message = `can't read the certificate of ${host}:${port}: ${messageOf(cause)}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', message, { cause });
  } finally {
    socket.destroy();
  }
}

async function open({ host, port, servername: wanted }: LiveSource): Promise<TLSSocket> {
  if (typeof host !== 'string' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidOptionError('port', `${host}:${port} is no host with a port from 1 to 65535`);
  // Loaded here, so that importing this package doesn't load what isn't used.
  const { connect } = await import('node:tls');
  const servername = wanted ?? (isIP(host) === 0 ? host : undefined);
  const named = servername === undefined ? {} : { servername };
  // An empty `ca` keeps Node from adding a root of its own to what the server sent. Old servers with weak keys are
  // inspected too: that they have them is worth knowing.
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  return connect({ host, port, ...named, ...old, ca: [], rejectUnauthorized: false });
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.on('error', reject);
    socket.once('close', () => {
      reject(new Error('it closed the connection'));
    });
  });
}

function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let current: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // A root's issuer is itself. Without a certificate Node gives an empty object.
  while (current?.raw instanceof Buffer && !chain.some((der) => der.equals(current?.raw as Buffer))) {
    chain.push(current.raw);
    current = current.issuerCertificate;
  }
  return chain;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
