/** The options of `connect`, parsed once into what the rest of the client reads. */
import { isIP } from '../node/net.js';
import type { Duplex } from 'node:stream';
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
  limitOptions,
  parseLimits,
  type LimitOptions,
  type Limits,
} from '../policy/limits.js';
import { parseFraming } from '../policy/framing-option.js';
import {
  abortSignal,
  anything,
  callback,
  failures,
  flag,
  having,
  integerWithin,
  milliseconds,
  readOptions,
  refuseUnknown,
  string,
  text,
  withDefault,
  type OptionReaders,
  type ReadOptions,
} from '../options/index.js';
import { isUnchangeable } from '../options/unchangeable.js';
import { socketPath } from '../policy/socket-path.js';
import { parseProfile, type TlsProfile, type TlsProfileOptions } from '../policy/tls-profile.js';
import type { DialTarget } from '../transport/dial.js';
import { writeProxyHeader, type ProxyHeader } from '../transport/proxy-header-writer.js';
import { parseTrust, trustOptions, type TrustOptions, type TrustPolicy } from '../trust/trust-policy.js';
import { asciiHostName } from '../x509/host-name.js';

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
  /** The CAs to trust, and our certificate; default Node's own roots, and no certificate. */
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

const sharedOptions = { ...limitOptions, ...trustOptions };

/** How the options of `connect` that it doesn't share are read, and their defaults. */
export const ownConnectOptions = {
  host: withDefault(parseHost, 'localhost'),
  port: integerWithin({ min: 1, max: 65_535 }),
  path: text<string | undefined>,
  socket: parseSocket,
  framing: anything,
  credentials: anything,
  profile: (_option, value: TlsProfileOptions | undefined) => parseProfile(value),
  connectTimeout: withDefault(milliseconds, 10_000),
  servername: string<string | undefined>,
  expectedName: parseExpectedName,
  dangerouslySkipVerification: withDefault(flag, false),
  pinsOnly: withDefault(flag, false),
  resume: withDefault(flag, true),
  proxyHeader: parseProxyHeader,
  onRequest: callback,
  onError: failures,
  signal: abortSignal,
  tls: parseExtraTls,
} as const satisfies OptionReaders<Omit<ConnectOptions, keyof typeof sharedOptions>>;

export const connectOptions = { ...sharedOptions, ...ownConnectOptions };

/** @throws InvalidOptionError, CredentialsError */
export function parseConnect<In, Out>(
  options: ConnectOptions<In, Out>,
  alsoKnown?: readonly string[],
  withheld?: readonly string[],
): ConnectConfig<In, Out> {
  refuseUnknown(options, connectOptions, undefined, alsoKnown, withheld);
  const read = readOptions(options, ownConnectOptions);
  const target = parseTarget(options, read);
  const servername = parseServername(read.servername, target);
  const source = toSource(options.credentials, nobody());
  const side = {
    usage: 'server',
    required: true,
    name: nameToExpect(read, target, servername),
    verify: parseVerify(read, options),
  } as const;
  const framing = parseFraming(options.framing);
  const limits = parseLimits(options);
  checkHeartbeat(limits, [framing]);
  const trustWith = (credentials: Credentials): TrustPolicy => parseTrust(options, { ...side, credentials });
  return Object.freeze({
    target,
    framing,
    limits,
    profile: read.profile,
    trust: trustWith(source.current),
    source,
    trustWith,
    connectTimeout: read.connectTimeout,
    servername,
    proxyHeader: read.proxyHeader,
    resume: read.resume,
    requestHandler: options.onRequest ?? null,
    failures: read.onError,
    signal: read.signal ?? null,
    extraTls: read.tls,
  });
}

/** Used themselves, and not by what they hold when they are read. */
const byReference = new Set(['framing', 'credentials', 'revocation', 'socket', 'signal']);
const known = new WeakMap<object, ConnectConfig<never, never>>();

/** As `parseConnect`; the same frozen object is read once, which a program that connects often to one server gains by. */
export function connectConfig<In, Out>(options: ConnectOptions<In, Out>): ConnectConfig<In, Out> {
  const earlier = known.get(options) as ConnectConfig<In, Out> | undefined;
  if (earlier !== undefined && earlier.source.current === earlier.trust.credentials) return earlier;
  const config = parseConnect(options);
  if (isUnchangeable(options, byReference))
    known.set(options, config as unknown as ConnectConfig<never, never>);
  return config;
}

/**
 * Validates options without connecting: for code that connects later with options given now.
 * @param alsoKnown names of further options, suggested where an unknown one resembles them
 * @param withheld names of options that are set here and can't be given, which are never suggested
 * @returns the deadlines that apply, in milliseconds
 * @throws InvalidOptionError · CredentialsError
 */
export function checkConnectOptions<In, Out>(
  options: ConnectOptions<In, Out>,
  alsoKnown?: readonly string[],
  withheld?: readonly string[],
): { readonly connectTimeout: number; readonly requestTimeout: number } {
  const { connectTimeout, limits } =
    alsoKnown === undefined ? connectConfig(options) : parseConnect(options, alsoKnown, withheld);
  return { connectTimeout, requestTimeout: limits.requestTimeout };
}

/** A client without credentials shows no certificate and trusts Node's default store. */
function nobody(): Credentials {
  anonymous ??= createCredentials({});
  return anonymous;
}
let anonymous: Credentials | undefined;

type Read = ReadOptions<typeof ownConnectOptions>;

function parseTarget(given: ReachOptions, { host, port, path, socket }: Read): DialTarget {
  const places = [
    given.port !== undefined || given.host !== undefined,
    path !== undefined,
    socket !== undefined,
  ];
  if (places.filter(Boolean).length !== 1)
    throw new InvalidOptionError('port', 'give host and port, or path, or socket, and only one of them');
  if (path !== undefined) return { kind: 'path', path: socketPath(path) };
  if (socket !== undefined) return { kind: 'socket', socket };
  if (port === undefined) throw new InvalidOptionError('port', 'port is missing');
  return { kind: 'tcp', host, port };
}

/** An IPv6 address has colons; a name with one has a port behind it. */
function parseHost(option: string, value: string | undefined): string | undefined {
  const name = text(option, value);
  if (name === undefined || !name.includes(':') || isIP(name) !== 0) return name;
  throw new InvalidOptionError(
    option,
    `host '${name}' must be a name or an address; the port is a separate option`,
  );
}

function parseSocket(option: string, value: Duplex | undefined): Duplex | undefined {
  const stream = having(option, value, 'a socket or another Duplex', ['on', 'write', 'destroy']);
  // Node's TLS emits an error that nothing can catch; sockets are read below their encoding.
  const isText = typeof stream?.readableEncoding === 'string' && !('resetAndDestroy' in stream);
  if (stream?.readableObjectMode !== true && !isText) return stream;
  const how = isText ? `as text (${stream.readableEncoding})` : 'in object mode';
  throw new InvalidOptionError(option, `${option} must be a stream of bytes, and this one is read ${how}`);
}

/** SNI carries no addresses (RFC 6066 3), and a name is sent in its ASCII form. */
function parseServername(servername: string | undefined, target: DialTarget): string {
  const name = servername ?? (target.kind === 'tcp' ? target.host : '');
  if (name === '' || isIP(name) !== 0) return '';
  const ascii = asciiHostName(name.endsWith('.') ? name.slice(0, -1) : name);
  if (ascii === '') throw new InvalidOptionError('servername', `'${name}' isn't a host name`);
  // Numbers are another notation of addresses.
  return isIP(ascii) === 0 ? ascii : '';
}

/** Null: any name. */
function parseExpectedName(option: string, value: ConnectOptions['expectedName']): string | null | undefined {
  if (typeof value !== 'object') return text(option, value);
  if ((value as { dangerouslyAnyName?: unknown } | null)?.dangerouslyAnyName === true) return null;
  throw new InvalidOptionError(option, 'expectedName must be a name or { dangerouslyAnyName: true }');
}

function nameToExpect(
  { expectedName, servername, dangerouslySkipVerification, pinsOnly }: Read,
  target: DialTarget,
  ascii: string,
): string | null {
  if (expectedName === null) return null;
  const name =
    expectedName ?? (ascii === '' ? servername || (target.kind === 'tcp' ? target.host : undefined) : ascii);
  if (name !== undefined) return name;
  if (dangerouslySkipVerification || pinsOnly) return null;
  throw new InvalidOptionError(
    'expectedName',
    'over a path or a socket, expectedName says whose certificate to expect',
  );
}

function parseVerify(
  { pinsOnly, dangerouslySkipVerification }: Read,
  { pins }: ReachOptions,
): TrustPolicy['verify'] {
  if (pinsOnly && pins === undefined) throw new InvalidOptionError('pinsOnly', 'pinsOnly needs pins');
  if (pinsOnly) return 'pins';
  return dangerouslySkipVerification ? 'nothing' : 'chain';
}

function parseProxyHeader(_option: string, value: ProxyHeader | undefined): Buffer | null {
  return value === undefined ? null : writeProxyHeader(value);
}
