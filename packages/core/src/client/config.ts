/** The options of `connect`, parsed once into what the rest of the client reads. */
import { isIP } from '../node/net.js';
import type { Duplex } from 'node:stream';
import { domainToASCII } from '../node/url.js';
import { createCredentials, type Credentials } from '../credentials/credentials.js';
import { toSource, type CredentialSource } from '../credentials/source.js';
import { InvalidOptionError } from '../errors/index.js';
import type { Framing, Payload } from '../framing/framing.js';
import type { ErrorListener } from '../connection/error-listener.js';
import type { RequestHandler } from '../connection/connection-types.js';
import type { FailureReporter } from '../errors/failure-reporter.js';
import { parseExtraTls, type ExtraTls } from '../policy/extra-tls.js';
import {
  checkHeartbeat,
  limitOptionNames,
  parseLimits,
  type LimitOptions,
  type Limits,
} from '../policy/limits.js';
import { parseFraming } from '../policy/framing-option.js';
import {
  abortSignal,
  callback,
  failures,
  flag,
  having,
  integer,
  milliseconds,
  refuseUnknown,
  text,
} from '../options/index.js';
import { socketPath } from '../policy/socket-path.js';
import { parseProfile, type TlsProfile, type TlsProfileOptions } from '../policy/tls-profile.js';
import type { DialTarget } from '../transport/dial.js';
import { writeProxyHeader, type ProxyHeader } from '../transport/proxy-header-writer.js';
import { parseTrust, trustOptionNames, type TrustOptions, type TrustPolicy } from '../trust/trust-policy.js';

/** Where to connect, which server to trust, and with which credentials. Times are milliseconds. */
export interface ConnectOptions<In = Buffer, Out = Payload> extends LimitOptions, TrustOptions {
  /** A name or an address; the addresses of a name are tried as in RFC 8305. */
  host?: string | undefined;
  /** From 1 to 65535. */
  port?: number | undefined;
  /** A Unix socket, instead of host and port. */
  path?: string | undefined;
  /** A connected socket to speak TLS over, instead of host and port. */
  socket?: Duplex | undefined;
  /** Default `knsock()`. */
  framing?: Framing<In, Out> | undefined;
  /** The CAs to trust, and our certificate; default Node’s own roots, and no certificate. */
  credentials?: Credentials | CredentialSource | undefined;
  /** Versions, suites and groups; default TLS 1.2 and 1.3, with forward secrecy and authenticated encryption. */
  profile?: TlsProfileOptions | undefined;
  /** From the start until the server has accepted the connection; default 10,000. */
  connectTimeout?: number | undefined;
  /** The name to send by SNI; default the host. Empty: none. */
  servername?: string | undefined;
  /** The name that the server's certificate must carry; default servername, then the host. */
  expectedName?: string | { readonly dangerouslyAnyName: true } | undefined;
  /** Disables verification of the server (insecure). */
  dangerouslySkipVerification?: boolean | undefined;
  /** Checks only the pin of the server's own key: neither chain, dates nor name. */
  pinsOnly?: boolean | undefined;
  /** Whether to resume earlier sessions, which are still verified again; default true. */
  resume?: boolean | undefined;
  /** Sent before TLS: the client that we forward, by the PROXY protocol, to a server or load balancer that expects it. */
  proxyHeader?: ProxyHeader | undefined;
  /** Answers the server's requests. */
  onRequest?: RequestHandler<In, Out> | undefined;
  /** Receives every error that reaches no caller, such as those of handlers; default: a process warning. */
  onError?: ErrorListener<In, Out> | undefined;
  /** Aborts connecting; has no effect afterwards. */
  signal?: AbortSignal | undefined;
  /** Raw `node:tls` options, except those that would disable a check. */
  tls?: object | undefined;
}

/** How to reach a server and what to trust there; every value is set. */
export interface ReachConfig {
  readonly target: DialTarget;
  readonly limits: Limits;
  readonly profile: TlsProfile;
  readonly trust: TrustPolicy;
  /** The source of the credentials, which may change while the connection is open. */
  readonly source: CredentialSource;
  /** The same trust with other credentials. */
  trustWith(credentials: Credentials): TrustPolicy;
  readonly connectTimeout: number;
  /** Sent by SNI; empty where there is no name to send. */
  readonly servername: string;
  /** What is sent before TLS; null for nothing. */
  readonly proxyHeader: Buffer | null;
  readonly resume: boolean;
  readonly failures: FailureReporter;
  readonly signal: AbortSignal | null;
  readonly extraTls: ExtraTls;
}

export interface ConnectConfig<In, Out> extends ReachConfig {
  readonly framing: Framing<In, Out>;
  readonly requestHandler: RequestHandler<In, Out> | null;
}

/** The options that don't depend on the type of messages. */
type ReachOptions = Omit<ConnectOptions, 'framing' | 'onRequest' | 'onError'>;

const known = new Set<string>([
  ...limitOptionNames,
  ...trustOptionNames,
  'host',
  'port',
  'path',
  'socket',
  'framing',
  'credentials',
  'profile',
  'connectTimeout',
  'servername',
  'expectedName',
  'dangerouslySkipVerification',
  'pinsOnly',
  'resume',
  'proxyHeader',
  'onRequest',
  'onError',
  'signal',
  'tls',
]);

/** @throws InvalidOptionError, CredentialsError */
export function parseConnect<In, Out>(
  options: ConnectOptions<In, Out>,
  alsoKnown?: readonly string[],
): ConnectConfig<In, Out> {
  refuseUnknown(options, known, undefined, alsoKnown);
  const target = parseTarget(options);
  const servername = parseServername(options, target);
  const source = toSource(options.credentials, nobody());
  const side = {
    usage: 'server',
    required: true,
    name: parseExpectedName(options, target, servername),
    verify: parseVerify(options),
  } as const;
  const framing = parseFraming(options.framing);
  const limits = parseLimits(options);
  checkHeartbeat(limits, [framing]);
  const trustWith = (credentials: Credentials): TrustPolicy => parseTrust(options, { ...side, credentials });
  return Object.freeze({
    target,
    framing,
    limits,
    profile: parseProfile(options.profile),
    trust: trustWith(source.current),
    source,
    trustWith,
    connectTimeout: milliseconds('connectTimeout', options.connectTimeout) ?? 10_000,
    servername,
    proxyHeader: options.proxyHeader === undefined ? null : writeProxyHeader(options.proxyHeader),
    resume: flag('resume', options.resume) ?? true,
    requestHandler: callback('onRequest', options.onRequest) ?? null,
    failures: failures('onError', options.onError),
    signal: abortSignal('signal', options.signal) ?? null,
    extraTls: parseExtraTls(options.tls),
  });
}

/**
 * Validates options without connecting: for code that connects later with options given now.
 * @param alsoKnown names of further options, suggested where an unknown one resembles them
 * @throws InvalidOptionError · CredentialsError
 */
export function checkConnectOptions<In, Out>(
  options: ConnectOptions<In, Out>,
  alsoKnown?: readonly string[],
): void {
  parseConnect(options, alsoKnown);
}

/** A client without credentials shows no certificate and trusts Node's default store. */
function nobody(): Credentials {
  anonymous ??= createCredentials({});
  return anonymous;
}
let anonymous: Credentials | undefined;

function parseTarget({ host, port, path, socket }: ReachOptions): DialTarget {
  const given = [port !== undefined || host !== undefined, path !== undefined, socket !== undefined].filter(
    Boolean,
  ).length;
  if (given !== 1)
    throw new InvalidOptionError('port', 'give host and port, or path, or socket, and only one of them');
  if (path !== undefined) return { kind: 'path', path: socketPath(text('path', path) ?? '') };
  if (socket !== undefined)
    return {
      kind: 'socket',
      socket: having('socket', socket, 'a socket or another Duplex', ['on', 'write', 'destroy']) ?? socket,
    };
  if (port === undefined) throw new InvalidOptionError('port', 'port is missing');
  return {
    kind: 'tcp',
    host: parseHost(host),
    port: integer('port', port, { min: 1, max: 65_535 }),
  };
}

/** An IPv6 address has colons; a name with one has a port behind it. */
function parseHost(host: string | undefined): string {
  const name = text('host', host) ?? 'localhost';
  if (!name.includes(':') || isIP(name) !== 0) return name;
  throw new InvalidOptionError(
    'host',
    `host '${name}' must be a name or an address; the port is a separate option`,
  );
}

/** SNI carries no addresses (RFC 6066 3), and a name is sent in its ASCII form. */
function parseServername({ servername }: ReachOptions, target: DialTarget): string {
  const name =
    (servername === '' ? '' : text('servername', servername)) ?? (target.kind === 'tcp' ? target.host : '');
  if (name === '' || isIP(name) !== 0) return '';
  const ascii = domainToASCII(name.endsWith('.') ? name.slice(0, -1) : name);
  if (ascii === '') throw new InvalidOptionError('servername', `'${name}' isn’t a host name`);
  // Numbers are another notation of addresses.
  return isIP(ascii) === 0 ? ascii : '';
}

function parseExpectedName(
  { expectedName, servername, dangerouslySkipVerification, pinsOnly }: ReachOptions,
  target: DialTarget,
  ascii: string,
): string | null {
  if (typeof expectedName === 'object') {
    if ((expectedName as { dangerouslyAnyName?: unknown } | null)?.dangerouslyAnyName === true) return null;
    throw new InvalidOptionError(
      'expectedName',
      'expectedName must be a name or { dangerouslyAnyName: true }',
    );
  }
  const name =
    text('expectedName', expectedName) ??
    (ascii === '' ? servername || (target.kind === 'tcp' ? target.host : undefined) : ascii);
  if (name !== undefined) return name;
  if (dangerouslySkipVerification === true || pinsOnly === true) return null;
  throw new InvalidOptionError(
    'expectedName',
    'over a path or a socket, expectedName says whose certificate to expect',
  );
}

function parseVerify(options: ReachOptions): TrustPolicy['verify'] {
  const pinsOnly = flag('pinsOnly', options.pinsOnly) ?? false;
  const skip = flag('dangerouslySkipVerification', options.dangerouslySkipVerification) ?? false;
  if (pinsOnly && options.pins === undefined) throw new InvalidOptionError('pinsOnly', 'pinsOnly needs pins');
  if (pinsOnly) return 'pins';
  return skip ? 'nothing' : 'chain';
}
