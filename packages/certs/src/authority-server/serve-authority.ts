/** An authority that serves: machines enrol by token and renew by certificate, and no key leaves the machine that made it. */
import { createCredentials, type Credentials } from '@knsock/core';
import { connectionOf, serveHttp, type HttpServer, type ServeHttpOptions } from '@knsock/core/http';
import { InvalidOptionError } from '@knsock/core/errors';
import { failures, noConnection } from '@knsock/core/options';
import { parseCertificates } from '@knsock/core/x509';
import { Enrolment } from '../enrolment/enrolment.js';
import type { Authority } from '../issuing/authority.js';
import type { Store } from '../store/store.js';
import { estListener, type RefusedEnrolment } from './est.js';
import { PublishedList } from './published-list.js';

/** What listens, in whose name. Times are milliseconds where nothing else is said. */
export interface AuthorityServerOptions extends Omit<
  ServeHttpOptions,
  'credentials' | 'clientCertificates' | 'sni'
> {
  readonly store: Store;
  /** The authority of the store that signs; default the only one whose key is there. An intermediate will do. */
  readonly authority?: string | undefined;
  /** The server's own names. */
  readonly names: readonly string[];
  /** Life of renewed certificates in days; default 1. */
  readonly renewDays?: number | undefined;
  /** How long a revocation list holds, in days; default 7. It is made anew at half of that, and at each revocation. */
  readonly crlDays?: number | undefined;
  /** Where the list is found, written into certificates; default none. */
  readonly crlUrls?: readonly string[] | undefined;
  /** Learns of each refusal with its reason, which the client isn't told. */
  readonly onRefused?: ((refused: RefusedEnrolment) => void) | undefined;
}

export type AuthorityServer = Pick<HttpServer, 'address' | 'stats' | 'close'> & AsyncDisposable;

/** Life of the server's own certificate, in days; it is replaced at half of that. */
const OWN_DAYS = 7;
const DAY_MS = 86_400_000;

/**
 * Serves EST under `/.well-known/est/`: cacerts, csrattrs, simpleenroll, simplereenroll, crl, health.
 * @throws InvalidOptionError, CertificateError, PortInUseError, ConnectionError
 */
export async function serveAuthority(options: AuthorityServerOptions): Promise<AuthorityServer> {
  const {
    store,
    authority: name,
    names,
    renewDays = 1,
    crlDays = 7,
    crlUrls = [],
    onRefused,
    ...listen
  } = options;
  if (!Array.isArray(names) || names.length === 0)
    throw new InvalidOptionError('names', 'names must be the names of this server, one at least');
  const reporter = failures('onError', listen.onError);
  const authority = await store.authority(name);
  const listener = estListener({
    enrolment: new Enrolment({ store, authority, renewDays, crlUrls }),
    list: new PublishedList(store, authority, crlDays),
    // The root first: it is the one whose fingerprint people compare.
    authorities: parseCertificates(authority.chain).reverse(),
    askerOf: (request) => {
      const connection = connectionOf(request);
      return {
        address: connection?.remote?.address ?? 'a local client',
        certificate: connection?.peer?.certificate,
      };
    },
    onRefused,
    reporter,
  });
  const server = await serveHttp(
    { ...listen, clientCertificates: 'request', credentials: await ownCredentials(authority, names) },
    listener,
  );
  return new RenewingServer(
    server,
    () => ownCredentials(authority, names),
    (error) => {
      reporter.report(error, noConnection, 'the renewal of the server’s certificate');
    },
  );
}

/** The chain goes out with its root, for clients that know the root by its fingerprint alone. */
async function ownCredentials(authority: Authority, names: readonly string[]): Promise<Credentials> {
  const { certificate, key } = await authority.issue({ kind: 'server', names, days: OWN_DAYS, file: false });
  return createCredentials({ cert: certificate + authority.chain, key, ca: authority.root });
}

class RenewingServer implements AuthorityServer {
  readonly #server: HttpServer;
  readonly #timer: NodeJS.Timeout;

  constructor(server: HttpServer, next: () => Promise<Credentials>, failed: (error: unknown) => void) {
    this.#server = server;
    this.#timer = setInterval(
      () => {
        // What fails is tried again at the next turn, while half of the certificate's life is left.
        next()
          .then((credentials) => server.rotate(credentials))
          .catch(failed);
      },
      (OWN_DAYS * DAY_MS) / 4,
    ).unref();
  }

  get address(): HttpServer['address'] {
    return this.#server.address;
  }

  stats(): ReturnType<HttpServer['stats']> {
    return this.#server.stats();
  }

  async close(options?: { deadline?: number | undefined }): Promise<void> {
    clearInterval(this.#timer);
    await this.#server.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
