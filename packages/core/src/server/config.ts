/** The options of `listen`, parsed once into what the rest of the server reads. */
import { toSource, type CredentialSource } from '../credentials/source.js';
import { createCredentials, fileOfCertificate, type Credentials } from '../credentials/credentials.js';
import { requireNamesFit } from '../credentials/names-fit.js';
import { requireUsableAnchors } from '../credentials/usable-anchors.js';
import { refuseWarnings } from '../credentials/warning.js';
import { CredentialsError, InvalidOptionError } from '../errors/index.js';
import type { ErrorListener } from '../connection/error-listener.js';
import type { FailureReporter } from '../errors/failure-reporter.js';
import type { Framing, Payload } from '../framing/framing.js';
import { parseExtraTls, type ExtraTls } from '../policy/extra-tls.js';
import { parseFraming } from '../policy/framing-option.js';
import {
  checkHeartbeat,
  limitOptions,
  parseLimits,
  type LimitOptions,
  type Limits,
} from '../policy/limits.js';
import {
  abortSignal,
  anything,
  callback,
  failures,
  integerWithin,
  optionalMilliseconds,
  readOptions,
  record,
  refuseUnknown,
  text,
  withDefault,
  word,
  type OptionReaders,
} from '../options/index.js';
import { socketPath } from '../policy/socket-path.js';
import { parseProfile, type TlsProfile, type TlsProfileOptions } from '../policy/tls-profile.js';
import { usageProblem, type X509Certificate } from '../x509/index.js';
import { AddressList } from '../transport/network.js';
import { trustOptions, type TrustOptions } from '../trust/trust-policy.js';
import {
  admissionOptions,
  parseAdmission,
  type AdmissionConfig,
  type AdmissionOptions,
} from './admission.js';
import type { BeforeTls } from './before-tls.js';
import type { ClientCertificates, SniMap, TrustState } from './trust-state.js';

/** Where to listen, with which credentials, and which clients to accept. Times are milliseconds. */
export interface ListenOptions<In = Buffer, Out = Payload>
  extends LimitOptions, TrustOptions, AdmissionOptions {
  /** 0 takes any free port. */
  port?: number | undefined;
  /** Default `'::'`: every address of this machine, IPv4 included. */
  host?: string | undefined;
  /** A Unix socket, instead of host and port. */
  path?: string | undefined;
  /** Default `knsock()`; several are distinguished by ALPN, and at most one of them may have no ALPN name. */
  framing?: Framing<In, Out> | readonly Framing<In, Out>[] | undefined;
  /** Certificate and key, and the CA of clients where these must show certificates. */
  credentials: Credentials | CredentialSource;
  /** Versions, suites and groups; default TLS 1.2 and 1.3, with forward secrecy and authenticated encryption. */
  profile?: TlsProfileOptions | undefined;
  /** Default `'none'`. */
  clientCertificates?: ClientCertificates | undefined;
  /**
   * Names (exact, or `*.` for one label) with their own credentials, and optionally client CA and rules: each is a
   * virtual host, whose sessions the others don't accept.
   */
  sni?: SniMap | undefined;
  /** What a name that isn't in `sni` gets: the default certificate (default), or an unrecognized_name alert. */
  unknownName?: 'default' | 'refuse' | undefined;
  /** Proxies (addresses, networks) that must send the client's address with the PROXY protocol; off by default. */
  proxyProtocol?: { readonly from: readonly string[] } | undefined;
  /** Runs before TLS begins, after the proxy's header. */
  beforeTls?: BeforeTls | undefined;
  /**
   * At least 32 random bytes, shared by processes and machines that are to resume each other's sessions: they do where
   * their certificates have the same names and issuer, and their rules are the same; replace it regularly. Absent: random, for this server only.
   */
  ticketSecret?: Uint8Array | undefined;
  /** Closes a connection after this long, plus or minus a tenth, so that clients are redistributed; off by default. */
  maxLifetime?: number | false | undefined;
  /** Receives every error that reaches no caller, such as those of handlers; default: a process warning. */
  onError?: ErrorListener<In, Out> | undefined;
  /** Closes the server when it fires. */
  signal?: AbortSignal | undefined;
  /** Raw `node:tls` options, except those that would disable a check. */
  tls?: object | undefined;
}

/** A server's configuration, independent of its message types; every value is set. */
export interface HostConfig {
  readonly place: { readonly port: number; readonly host: string } | { readonly path: string };
  readonly clientCertificates: ClientCertificates;
  readonly unknownName: 'default' | 'refuse';
  readonly profile: TlsProfile;
  readonly limits: Limits;
  readonly admission: AdmissionConfig;
  readonly proxies: AddressList | null;
  readonly beforeTls: BeforeTls | null;
  readonly ticketSecret: Uint8Array | undefined;
  readonly maxLifetime: number | null;
  readonly failures: FailureReporter;
  readonly signal: AbortSignal | null;
  readonly extraTls: ExtraTls;
  /** The supported ALPN protocols, most preferred first. */
  readonly protocols: readonly string[];
  /** What `rotate` replaces. */
  readonly initial: TrustState;
}

export interface ListenConfig<In, Out> extends HostConfig {
  readonly framings: readonly Framing<In, Out>[];
}

const sharedOptions = { ...limitOptions, ...trustOptions, ...admissionOptions };

/** How the options of `listen` that it doesn't share are read, and their defaults. */
export const ownListenOptions = {
  port: integerWithin({ max: 65_535 }),
  host: withDefault(text, '::'),
  path: parsePath,
  framing: anything,
  credentials: anything,
  profile: (_option, value: TlsProfileOptions | undefined) => parseProfile(value),
  clientCertificates: withDefault(word('none', 'request', 'require'), 'none'),
  sni: record<SniMap | undefined>,
  unknownName: withDefault(word('default', 'refuse'), 'default'),
  proxyProtocol: parseProxies,
  beforeTls: callback<BeforeTls | undefined>,
  ticketSecret: anything<Uint8Array | undefined>,
  maxLifetime: optionalMilliseconds,
  onError: failures,
  signal: abortSignal,
  tls: parseExtraTls,
} as const satisfies OptionReaders<Omit<ListenOptions, keyof typeof sharedOptions>>;

export const listenOptions = { ...sharedOptions, ...ownListenOptions };

/** @throws InvalidOptionError, CredentialsError */
export function parseListen<In, Out>(options: ListenOptions<In, Out>): ListenConfig<In, Out> {
  refuseUnknown(options, listenOptions);
  const { authorize, pins, revocation, partialChain } = options;
  const framings = parseFramings(options.framing);
  const limits = parseLimits(options);
  checkHeartbeat(limits, framings);
  const { port, host, path, ...read } = readOptions(options, ownListenOptions);
  return Object.freeze({
    place: parsePlace(port, host, path),
    framings,
    protocols: framings.flatMap(({ alpn }) => (alpn === undefined ? [] : [alpn])),
    clientCertificates: read.clientCertificates,
    unknownName: read.unknownName,
    profile: read.profile,
    limits,
    admission: parseAdmission(options),
    proxies: read.proxyProtocol,
    beforeTls: read.beforeTls ?? null,
    ticketSecret: read.ticketSecret,
    maxLifetime: read.maxLifetime,
    failures: read.onError,
    signal: read.signal ?? null,
    extraTls: read.tls,
    initial: {
      source: toSource(options.credentials, createCredentials({})),
      sni: read.sni ?? {},
      trust: { authorize, pins, revocation, partialChain },
    },
  });
}

/** Refuses credentials that no client would accept (wrong dates included), or that can verify no client. */
export function checkServerCredentials(
  clientCertificates: ClientCertificates,
  { authorize, pins, revocation, partialChain }: TrustOptions,
  credentials: Credentials,
): void {
  if (credentials.certificate === null) {
    throw new InvalidOptionError(
      'credentials',
      'a server needs a certificate and key: certFile and keyFile, or pfxFile',
    );
  }
  refuseWarnings(credentials.warnings);
  refuseUsage(credentials.certificate, fileOfCertificate(credentials));
  if (clientCertificates !== 'none') {
    requireNamesFit(credentials);
    requireUsableAnchors(credentials, partialChain);
  }
  if (clientCertificates !== 'none' && credentials.anchors === null) {
    throw new InvalidOptionError(
      'clientCertificates',
      'verifying client certificates requires the CA that issues them: caFile',
    );
  }
  if (clientCertificates === 'none' && (authorize ?? pins ?? revocation) !== undefined) {
    const option = authorize !== undefined ? 'authorize' : pins !== undefined ? 'pins' : 'revocation';
    throw new InvalidOptionError(
      option,
      `${option} applies to client certificates; set clientCertificates to 'require' or 'request'`,
    );
  }
}

/** Every client refuses a CA's own certificate, or a client certificate. */
function refuseUsage(certificate: X509Certificate, file: string | undefined): void {
  const problem = usageProblem(certificate, 'server');
  if (problem === undefined) return;
  const where = `${certificate.subject.toString()}${file === undefined ? '' : ` in ${file}`}`;
  throw new CredentialsError('wrong-usage', `no client accepts this certificate: ${where} ${problem}`, {
    file,
  });
}

function parsePlace(port: number | undefined, host: string, path: string | undefined): HostConfig['place'] {
  if ((port === undefined) === (path === undefined)) {
    throw new InvalidOptionError('port', 'give either a port (0 takes any free one) or a path');
  }
  return path === undefined ? { port: port ?? 0, host } : { path };
}

/** Node takes a string of digits for a port. */
function parsePath(option: string, value: string | undefined): string | undefined {
  if (text(option, value) === undefined) return undefined;
  if (!/^\d+$/.test(value ?? '')) return socketPath(value ?? '');
  throw new InvalidOptionError(
    option,
    `path '${value}' is a number; write './${value}' for a socket of that name`,
  );
}

type TrustedProxies = NonNullable<ListenOptions['proxyProtocol']>;
const proxyOptions = { from: anything } as const satisfies OptionReaders<TrustedProxies>;

function parseProxies(option: string, value: TrustedProxies | undefined): AddressList | null {
  if (value === undefined) return null;
  refuseUnknown(value, proxyOptions, option);
  if (value.from === undefined)
    throw new InvalidOptionError(`${option}.from`, 'proxyProtocol needs from: whose headers to believe');
  return new AddressList(`${option}.from`, value.from);
}

function parseFramings<In, Out>(framing: ListenOptions<In, Out>['framing']): readonly Framing<In, Out>[] {
  const framings = Array.isArray(framing)
    ? (framing as readonly Framing<In, Out>[]).map(parseFraming)
    : [parseFraming(framing as Framing<In, Out> | undefined)];
  const protocols = framings.map(({ alpn }) => alpn);
  if (protocols.length === 0) throw new InvalidOptionError('framing', 'framing is an empty list');
  if (new Set(protocols).size < protocols.length) {
    throw new InvalidOptionError(
      'framing',
      'framings on one port must differ in their ALPN protocol; at most one may have none',
    );
  }
  return framings;
}
