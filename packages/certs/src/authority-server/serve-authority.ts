/** An authority that serves: machines enrol by token and renew by certificate, and no key leaves the machine that made it. */
import { createCredentials, type Credentials } from '@knsock/core';
import { connectionOf, serveHttp, type HttpServer, type ServeHttpOptions } from '@knsock/core/http';
import { InvalidOptionError } from '@knsock/core/errors';
import { callback, failures, noConnection, texts, type FailureReporter } from '@knsock/core/options';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { Enrolment } from '../enrolment/enrolment.js';
import type { Authority } from '../authorities/authority.js';
import { checkPatterns } from '../issuing/signing-policy.js';
import type { Signer } from '../keys/signer.js';
import type { Store } from '../store/store.js';
import { rememberAuthority } from '../enrolment/known-authority.js';
import type { EnrolmentPolicy } from '../enrolment/policy.js';
import { estListener, type EnrolledCertificate, type RefusedEnrolment } from './est.js';
import { servePlainList, type PlainList } from './plain-list.js';
import { PublishedList } from './published-list.js';

/** What listens, in whose name. Times are milliseconds where nothing else is said. */
export interface AuthorityServerOptions extends Omit<
  ServeHttpOptions,
  'credentials' | 'clientCertificates' | 'sni'
> {
  /** Whose authority signs. */
  readonly store: Store;
  /** The authority of the store that signs; default the only one whose key is there. An intermediate will do. */
  readonly authority?: string | undefined;
  /** Signs where the store has no key. */
  readonly signer?: Signer | undefined;
  /** The server's own names. */
  readonly names: readonly string[];
  /** Life of renewed certificates in days; default that of the certificate that is renewed. */
  readonly renewDays?: number | undefined;
  /** The longest life of any certificate given here in days, whatever a token says; default 90. */
  readonly maxDays?: number | undefined;
  /**
   * How long after its end a certificate can still be renewed, in ms, for the same key; default 0: not at all. An
   * expired certificate gets no other answer.
   */
  readonly expiredGrace?: number | undefined;
  /**
   * Patterns of the names that may be certified here at all, whatever tokens say, as `SigningPolicy.names` has them;
   * default any. The authority's own name constraints hold in any case.
   */
  readonly permit?: readonly string[] | undefined;
  /** Asked about each request that its token or certificate allows. */
  readonly policy?: EnrolmentPolicy | undefined;
  /** How long a revocation list holds, in days; default 7. It is made anew at half of that, and at each revocation. */
  readonly crlDays?: number | undefined;
  /** Serves the revocation list by plain HTTP there too, and nothing else: `GET /ca.crl`. Default: not. */
  readonly crlListen?: { readonly port: number; readonly host?: string | undefined } | undefined;
  /** Where the list is found, written into certificates; default where `crlListen` serves it, else none. */
  readonly crlUrls?: readonly string[] | undefined;
  /** Learns of each certificate given. */
  readonly onEnrolled?: ((enrolled: EnrolledCertificate) => void) | undefined;
  /** Learns of each refusal with its reason, which the client isn't told. */
  readonly onRefused?: ((refused: RefusedEnrolment) => void) | undefined;
}

/** An authority that enrols machines over EST, until it is closed. */
export interface AuthorityServer extends Pick<
  HttpServer,
  'address' | 'connections' | 'stats' | 'close' | typeof Symbol.asyncDispose
> {
  /** Where the list is served by plain HTTP; undefined: nowhere. */
  readonly crlUrl: string | undefined;
  /** The authority that signs, PEM. */
  readonly certificate: string;
  /** Replaces the server's own certificate now, which happens by itself every two days. */
  renewOwn(): Promise<void>;
}

/** Life of the server's own certificate, in days; it is replaced at half of that. */
const OWN_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * Serves EST under `/.well-known/est/`: cacerts, csrattrs, simpleenroll, simplereenroll, crl, health.
 * @throws InvalidOptionError, CertificateError, PortInUseError, ConnectionError
 */
export async function serveAuthority(options: AuthorityServerOptions): Promise<AuthorityServer> {
  const { store, authority: name, signer, names, crlDays = 7, crlListen, crlUrls, ...more } = options;
  const {
    renewDays,
    maxDays = 90,
    expiredGrace = 0,
    permit,
    policy,
    onEnrolled,
    onRefused,
    ...listen
  } = more;
  if (!Array.isArray(names) || names.length === 0)
    throw new InvalidOptionError('names', 'names must be the names of this server, one at least');
  if (permit !== undefined) checkPatterns(texts('permit', permit));
  if (policy !== undefined) callback('policy', policy);
  checkLives({ renewDays, maxDays, crlDays, expiredGrace });
  const reporter = failures('onError', listen.onError);
  const authority = await store.authority(name, { signer });
  const list = new PublishedList(store, authority, crlDays);
  const plain = crlListen && (await servePlainList(list, crlListen, names[0] as string));
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
    askerOf: (request) => {
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

function checkLives(lives: Readonly<Record<string, number | undefined>>): void {
  for (const [option, value] of Object.entries(lives)) {
    const least = option === 'expiredGrace' ? 0 : Number.MIN_VALUE;
    if (value !== undefined && !(typeof value === 'number' && value >= least && value < Infinity))
      throw new InvalidOptionError(option, `${option} must be a number${least === 0 ? '' : ' more than 0'}`);
  }
}

/** The chain goes out with its root, for clients that know the root by its fingerprint alone. */
async function ownCredentials(
  store: Store,
  authority: Authority,
  names: readonly string[],
): Promise<Credentials> {
  const { certificate, key } = await authority.issue({ kind: 'server', names, days: OWN_DAYS, file: false });
  return createCredentials({ cert: certificate + authority.chain, key, ca: await rootsOf(store) });
}

/** Of every authority of the store: what an earlier one has certified is renewed by the one that follows it. */
async function rootsOf(store: Store): Promise<string[]> {
  const chains = await Promise.all((await store.authorities()).map((name) => store.chain(name)));
  return chains.flatMap((chain) => parseCertificates(chain).at(-1)?.pem ?? []);
}

/**
 * The root first: it is the one whose fingerprint people compare. Then, for machines that know an earlier root, the roots
 * that follow each other with what links them.
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
      // What fails is tried again at the next turn, while half of the certificate's life is left.
      this.renewOwn().catch((error: unknown) => {
        reporter.report(error, noConnection, 'the renewal of the server’s certificate');
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
