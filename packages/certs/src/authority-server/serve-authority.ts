/** An authority server: machines enrol by token and renew by certificate; private keys never leave their machine. */
import { createCredentials, type Credentials } from '@knsock/core';
import { connectionOf, serveHttp, type HttpServer, type ServeHttpOptions } from '@knsock/core/http';
import { InvalidOptionError } from '@knsock/core/errors';
import {
  callback,
  failures,
  noConnection,
  readOptions,
  required,
  having,
  record,
  string,
  texts,
  withDefault,
  type FailureReporter,
  type OptionReaders,
} from '@knsock/core/options';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { Enrolment } from '../enrolment/enrolment.js';
import type { Authority } from '../authorities/authority.js';
import { checkPatterns } from '../issuing/signing-policy.js';
import { CRL_DAYS } from '../issuing/validity.js';
import { checkSigner, type Signer } from '../keys/signer.js';
import type { Store } from '../store/store.js';
import { rememberAuthority } from '../enrolment/known-authority.js';
import type { EnrolmentPolicy } from '../enrolment/policy.js';
import { estListener, type EnrolledCertificate, type RefusedEnrolment } from './est.js';
import { servePlainList, type PlainList } from './plain-list.js';
import { PublishedList } from './published-list.js';

/** Options of `serveAuthority`. Times are milliseconds unless stated otherwise. */
export interface AuthorityServerOptions extends Omit<
  ServeHttpOptions,
  'credentials' | 'clientCertificates' | 'sni'
> {
  /** The store with the authority that signs. */
  readonly store: Store;
  /** Name of the authority that signs; default the only one whose key is in the store. It may be an intermediate. */
  readonly authority?: string | undefined;
  /** Signs if the store has no key. */
  readonly signer?: Signer | undefined;
  /** Names in the server's own certificate. */
  readonly names: readonly string[];
  /** Validity of renewed certificates in days; default that of the certificate being renewed. */
  readonly renewDays?: number | undefined;
  /** Maximum validity of any certificate issued here in days, whatever a token says; default 90. */
  readonly maxDays?: number | undefined;
  /**
   * How long after expiry a certificate can still be renewed, in ms, for the same key; default 0: not at all. An
   * expired certificate can be used for nothing else.
   */
  readonly expiredGrace?: number | undefined;
  /**
   * Patterns of the names that may be certified here at all, whatever tokens say, in the syntax of `SigningPolicy.names`;
   * default any. The authority's own name constraints hold in any case.
   */
  readonly permit?: readonly string[] | undefined;
  /** Decides on each request that its token or certificate allows. */
  readonly policy?: EnrolmentPolicy | undefined;
  /** Validity of a revocation list, in days; default 7. It is signed again after half of that, and at each revocation. */
  readonly crlDays?: number | undefined;
  /** Also serves the revocation list over plain HTTP at this address, and nothing else: `GET /ca.crl`. Default: off. */
  readonly crlListen?: { readonly port: number; readonly host?: string | undefined } | undefined;
  /** URL of the list, written into certificates; default where `crlListen` serves it, else none. */
  readonly crlUrls?: readonly string[] | undefined;
  /** Called for each certificate issued. */
  readonly onEnrolled?: ((enrolled: EnrolledCertificate) => void) | undefined;
  /** Called for each refusal, with the reason that the client doesn't receive. */
  readonly onRefused?: ((refused: RefusedEnrolment) => void) | undefined;
}

type ServingOptions = Omit<AuthorityServerOptions, keyof ServeHttpOptions>;

/** How each of its own is read, and its default; the others are `serveHttp`'s. */
export const authorityServerOptions = {
  store: required<Store>(readStore),
  authority: string<string | undefined>,
  signer: checkSigner,
  names: serverNames,
  renewDays: moreThanNone<number | undefined>,
  maxDays: withDefault<number>(moreThanNone, 90),
  expiredGrace: withDefault<number>(noneOrMore, 0),
  permit: patterns,
  policy: callback<EnrolmentPolicy | undefined>,
  crlDays: withDefault<number>(moreThanNone, CRL_DAYS),
  crlListen: record<AuthorityServerOptions['crlListen']>,
  crlUrls: texts<readonly string[] | undefined>,
  onEnrolled: callback<AuthorityServerOptions['onEnrolled']>,
  onRefused: callback<AuthorityServerOptions['onRefused']>,
} as const satisfies OptionReaders<ServingOptions>;

function readStore(option: string, value: Store): unknown {
  return having(option, value, 'a store: await openStore(…)', ['authority', 'authorities']);
}

/** An authority that enrols machines over EST, until it is closed. */
export interface AuthorityServer extends Pick<
  HttpServer,
  'address' | 'connections' | 'stats' | 'close' | typeof Symbol.asyncDispose
> {
  /** Where the list is served over plain HTTP; undefined: nowhere. */
  readonly crlUrl: string | undefined;
  /** The authority that signs, PEM. */
  readonly certificate: string;
  /** Replaces the server's own certificate now; this also happens automatically every two days. */
  renewOwn(): Promise<void>;
}

/** Validity of the server's own certificate, in days; it is replaced after half of that. */
const OWN_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * Serves EST under `/.well-known/est/`: cacerts, csrattrs, simpleenroll, simplereenroll, crl, health.
 * @throws InvalidOptionError, CertificateError, PortInUseError, ConnectionError
 */
export async function serveAuthority(options: AuthorityServerOptions): Promise<AuthorityServer> {
  const own = readOptions(options, authorityServerOptions);
  const { store, authority: name, signer, names, crlDays, crlListen, crlUrls, onEnrolled, onRefused } = own;
  const { renewDays, maxDays, expiredGrace, permit, policy } = own;
  const listen = listenOptions(options);
  const reporter = failures('onError', listen.onError);
  const authority = await store.authority(name, { signer });
  const list = new PublishedList(store, authority, crlDays);
  const plain = crlListen && (await servePlainList(list, crlListen, names[0] as string, reporter));
  const urls = crlUrls ?? (plain === undefined ? [] : [plain.url]);
  const listener = estListener({
    enrolment: new Enrolment({
      store,
      authority,
      renewDays,
      maxDays,
      expiredGrace,
      permit,
      policy,
      crlUrls: urls,
    }),
    list,
    authorities: await offeredAuthorities(store, authority),
    clientOf: (request) => {
      const connection = connectionOf(request);
      return {
        address: connection?.remote?.address ?? 'a local client',
        certificate: connection?.peer?.certificate,
      };
    },
    onEnrolled,
    onRefused,
    reporter,
  });
  try {
    const server = await serveHttp(
      {
        ...listen,
        clientCertificates: 'request',
        credentials: await ownCredentials(store, authority, names),
      },
      listener,
    );
    if ('port' in server.address)
      await rememberAuthority(store.directory, {
        host: names[0] as string,
        port: server.address.port,
        chain: authority.chain,
      });
    return new RenewingServer(
      server,
      plain,
      authority,
      () => ownCredentials(store, authority, names),
      reporter,
    );
  } catch (error) {
    await plain?.close();
    throw error;
  }
}

/** What is left for `serveHttp`, which refuses options that don't exist. */
function listenOptions(options: AuthorityServerOptions): Omit<AuthorityServerOptions, keyof ServingOptions> {
  const others = Object.entries(options).filter(([name]) => !Object.hasOwn(authorityServerOptions, name));
  return Object.fromEntries(others);
}

function serverNames(option: string, names: readonly string[]): readonly string[] {
  if ((names as unknown) !== undefined && texts(option, names).length > 0) return names;
  throw new InvalidOptionError(option, `${option} must be the names of this server, one at least`);
}

function patterns(option: string, given: readonly string[] | undefined): readonly string[] | undefined {
  checkPatterns(texts(option, given) ?? []);
  return given;
}

function moreThanNone<V extends number | undefined>(option: string, value: V): V {
  return finite(option, value, Number.MIN_VALUE);
}

function noneOrMore<V extends number | undefined>(option: string, value: V): V {
  return finite(option, value, 0);
}

function finite<V extends number | undefined>(option: string, value: V, least: number): V {
  if (value === undefined || (typeof value === 'number' && value >= least && value < Infinity)) return value;
  throw new InvalidOptionError(option, `${option} must be a number${least === 0 ? '' : ' more than 0'}`);
}

/** The chain is sent with its root, for clients that know only the root's fingerprint. */
async function ownCredentials(
  store: Store,
  authority: Authority,
  names: readonly string[],
): Promise<Credentials> {
  const { certificate, key } = await authority.issue({ kind: 'server', names, days: OWN_DAYS, file: false });
  return createCredentials({ cert: certificate + authority.chain, key, ca: await rootsOf(store) });
}

/** Of every authority of the store: certificates issued by an earlier one are renewed by its successor. */
async function rootsOf(store: Store): Promise<string[]> {
  const chains = await Promise.all((await store.authorities()).map((name) => store.chain(name)));
  return chains.flatMap((chain) => parseCertificates(chain).at(-1)?.pem ?? []);
}

/**
 * The root first: it is the one whose fingerprint people compare. Then, for machines that know an earlier root, the
 * succeeding roots with the link certificates between them.
 */
async function offeredAuthorities(store: Store, authority: Authority): Promise<X509Certificate[]> {
  const own = parseCertificates(authority.chain).reverse();
  const links = (await store.links()).flatMap((link) => parseCertificates(link));
  const roots = (await rootsOf(store)).flatMap((root) => parseCertificates(root));
  const linked = roots.filter((root) => links.some(({ subject }) => subject.equals(root.subject)));
  const all = [...own, ...linked, ...links];
  return [...new Map(all.map((one) => [one.fingerprint256, one])).values()];
}

class RenewingServer implements AuthorityServer {
  readonly crlUrl: string | undefined;
  readonly certificate: string;
  readonly #next: () => Promise<Credentials>;
  readonly #server: HttpServer;
  readonly #plain: PlainList | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(
    server: HttpServer,
    plain: PlainList | undefined,
    authority: Authority,
    next: () => Promise<Credentials>,
    reporter: FailureReporter,
  ) {
    this.#server = server;
    this.#plain = plain;
    this.crlUrl = plain?.url;
    this.certificate = authority.certificate;
    this.#next = next;
    const renew = (): void => {
      // A failure is retried at the next interval, while half of the certificate's validity is left.
      this.renewOwn().catch((error: unknown) => {
        reporter.report(error, noConnection, "the renewal of the server's certificate");
      });
    };
    this.#timer = setInterval(renew, (OWN_DAYS * DAY_MS) / 4).unref();
  }

  get address(): HttpServer['address'] {
    return this.#server.address;
  }

  connections(): ReturnType<HttpServer['connections']> {
    return this.#server.connections();
  }

  stats(): ReturnType<HttpServer['stats']> {
    return this.#server.stats();
  }

  async renewOwn(): Promise<void> {
    await this.#server.rotate(await this.#next());
  }

  async close(options?: { deadline?: number | undefined }): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#server.close(options), this.#plain?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
