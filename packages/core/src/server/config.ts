/** The options of `listen`, parsed once into what the rest of the server reads. */
import { toSource, type CredentialSource } from '../credentials/source.js';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import { refuseWarnings } from '../credentials/dates.js';
import { InvalidOptionError } from '../errors/index.js';
import type { Framing, Payload } from '../framing/framing.js';
import { knsock } from '../framing/index.js';
import { parseExtraTls, type ExtraTls } from '../policy/extra-tls.js';
import { limitOptionNames, parseLimits, type LimitOptions, type Limits } from '../policy/limits.js';
import { integer, oneOf, optionalMilliseconds, refuseUnknown } from '../policy/option.js';
import { parseProfile, type TlsProfile, type TlsProfileOptions } from '../policy/tls-profile.js';
import { parseTrust, trustOptionNames, type TrustOptions, type TrustPolicy } from '../trust/trust-policy.js';

export type ClientCertificates = 'none' | 'request' | 'require';

/** Where to listen, as whom, and for whom. Times are milliseconds. */
export interface ListenOptions<In = Buffer, Out = Payload> extends LimitOptions, TrustOptions {
  /** 0 takes any free port. */
  port?: number | undefined;
  /** Default `'::'`: every address of this machine, IPv4 included. */
  host?: string | undefined;
  /** A Unix socket, instead of host and port. */
  path?: string | undefined;
  /** Default `knsock()`; several are told apart by ALPN, and at most one of them may be without. */
  framing?: Framing<In, Out> | readonly Framing<In, Out>[] | undefined;
  /** Certificate and key, and the CA of clients where they must show certificates. */
  credentials: Credentials | CredentialSource;
  profile?: TlsProfileOptions | undefined;
  /** Default `'none'`. */
  clientCertificates?: ClientCertificates | undefined;
  /** The most connections at once, those still in their handshake included; default 10,000. */
  maxConnections?: number | undefined;
  /** The most handshakes at once; default 1,000. */
  maxPendingHandshakes?: number | undefined;
  /** Ends a connection after so long, give or take a tenth, so that clients spread anew; off by default. */
  maxLifetime?: number | false | undefined;
  /** Closes the server when it fires. */
  signal?: AbortSignal | undefined;
  /** Raw `node:tls` options, minus those that would undo a check. */
  tls?: object | undefined;
}

/** What a server is, whatever its messages are; nothing is left open. */
export interface HostConfig {
  readonly place: { readonly port: number; readonly host: string } | { readonly path: string };
  readonly source: CredentialSource;
  readonly clientCertificates: ClientCertificates;
  readonly trustOptions: TrustOptions;
  readonly profile: TlsProfile;
  readonly limits: Limits;
  readonly maxConnections: number;
  readonly maxPendingHandshakes: number;
  readonly maxLifetime: number | null;
  readonly signal: AbortSignal | null;
  readonly extraTls: ExtraTls;
}

export interface ListenConfig<In, Out> extends HostConfig {
  readonly framings: readonly Framing<In, Out>[];
}

const known = new Set<string>([
  ...limitOptionNames,
  ...trustOptionNames,
  'port',
  'host',
  'path',
  'framing',
  'credentials',
  'profile',
  'clientCertificates',
  'maxConnections',
  'maxPendingHandshakes',
  'maxLifetime',
  'signal',
  'tls',
]);

/** @throws InvalidOptionError, CredentialsError (wrong dates included: everybody would refuse us) */
export function parseListen<In, Out>(options: ListenOptions<In, Out>): ListenConfig<In, Out> {
  refuseUnknown(options, known);
  const source = toSource(options.credentials, createCredentials({}));
  const clientCertificates = oneOf(
    'clientCertificates',
    options.clientCertificates,
    ['none', 'request', 'require'],
    'none',
  );
  const { authorize, pins, revocation, partialChain } = options;
  const config: ListenConfig<In, Out> = {
    place: parsePlace(options),
    framings: parseFramings(options.framing),
    source,
    clientCertificates,
    trustOptions: { authorize, pins, revocation, partialChain },
    profile: parseProfile(options.profile),
    limits: parseLimits(options),
    maxConnections: integer('maxConnections', options.maxConnections, { fallback: 10_000, min: 1 }),
    maxPendingHandshakes: integer('maxPendingHandshakes', options.maxPendingHandshakes, {
      fallback: 1_000,
      min: 1,
    }),
    maxLifetime: optionalMilliseconds('maxLifetime', options.maxLifetime),
    signal: options.signal ?? null,
    extraTls: parseExtraTls(options.tls),
  };
  checkServerCredentials(config, source.current);
  return Object.freeze(config);
}

/** What the server judges clients by, under these credentials. */
export function clientTrust(config: HostConfig, credentials: Credentials): TrustPolicy {
  const required = config.clientCertificates === 'require';
  return parseTrust(config.trustOptions, {
    credentials,
    usage: 'client',
    required,
    name: null,
    verify: 'chain',
  });
}

/** Refuses credentials that no client could accept, or that could judge no client. */
export function checkServerCredentials(
  { clientCertificates, trustOptions }: HostConfig,
  credentials: Credentials,
): void {
  if (credentials.certificate === null) {
    throw new InvalidOptionError(
      'credentials',
      'a server needs a certificate and key: certFile and keyFile, or pfxFile',
    );
  }
  refuseWarnings(credentials.warnings);
  if (clientCertificates !== 'none' && credentials.anchors === null) {
    throw new InvalidOptionError(
      'clientCertificates',
      'judging client certificates needs the CA that issues them: caFile',
    );
  }
  if (clientCertificates === 'none' && (trustOptions.authorize ?? trustOptions.pins) !== undefined) {
    const option = trustOptions.authorize === undefined ? 'pins' : 'authorize';
    throw new InvalidOptionError(
      option,
      `${option} judges certificates; set clientCertificates to 'require' or 'request'`,
    );
  }
}

function parsePlace({
  port,
  host,
  path,
}: Pick<ListenOptions, 'port' | 'host' | 'path'>): HostConfig['place'] {
  if ((port === undefined) === (path === undefined)) {
    throw new InvalidOptionError('port', 'give either a port (0 takes any free one) or a path');
  }
  if (path !== undefined) return { path };
  return { port: integer('port', port, { fallback: 0, max: 65_535 }), host: host ?? '::' };
}

function parseFramings<In, Out>(framing: ListenOptions<In, Out>['framing']): readonly Framing<In, Out>[] {
  const framings = Array.isArray(framing)
    ? (framing as readonly Framing<In, Out>[])
    : [framing ?? (knsock() as unknown as Framing<In, Out>)];
  const protocols = (framings as readonly Framing<In, Out>[]).map(({ alpn }) => alpn);
  if (protocols.length === 0) throw new InvalidOptionError('framing', 'framing is an empty list');
  if (new Set(protocols).size < protocols.length) {
    throw new InvalidOptionError(
      'framing',
      'framings on one port must differ in their ALPN protocol; at most one may have none',
    );
  }
  return framings as readonly Framing<In, Out>[];
}
