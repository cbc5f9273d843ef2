/** EST (RFC 7030, 8951) as a request listener of node:http: parses requests and writes responses, nothing else. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { noConnection, type FailureReporter } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import type { Asking, Enrolment } from '../enrolment/enrolment.js';
import { EnrolmentRefusal, type RefusalReason } from '../enrolment/refusal.js';
import type { TokenSecret } from '../enrolment/token.js';
import { answer, answerText } from './answer.js';
import { certsOnly } from './certs-only.js';
import { expiredOf, readRequest, Status, tokenOf } from './est-request.js';
import { FailedAttempts } from './failed-attempts.js';
import { sendList, UNAVAILABLE } from './list-answer.js';
import type { PublishedList } from './published-list.js';

/** A refused request, for the log: the client's response says less. */
export interface RefusedEnrolment {
  /** The path of the request. */
  readonly path: string;
  /** The reason, as a stable word. */
  readonly reason: RefusalReason | 'request' | 'too-many';
  /** The reason, as a sentence. */
  readonly message: string;
  /** The client's address. */
  readonly from: string;
  /** The token's id, if the request named one. */
  readonly token: string | undefined;
}

/** A certificate that was issued. */
export interface EnrolledCertificate {
  /** Authorised by a token, or by the certificate that it replaces. */
  readonly operation: 'enroll' | 'renew';
  /** The new one. */
  readonly certificate: X509Certificate;
  /** The client's address. */
  readonly from: string;
  /** The token's id; undefined for renewals. */
  readonly token: string | undefined;
}

interface EstCaller {
  readonly address: string;
  /** The client certificate, verified by the connection. */
  readonly certificate: X509Certificate | undefined;
}

export interface EstSettings {
  readonly enrolment: Enrolment;
  readonly list: PublishedList;
  /** The authority's certificates, the root first. */
  readonly authorities: readonly X509Certificate[];
  /** The client, as the connection knows it. */
  readonly clientOf: (request: IncomingMessage) => EstCaller;
  readonly onEnrolled: ((enrolled: EnrolledCertificate) => unknown) | undefined;
  readonly onRefused: ((refused: RefusedEnrolment) => unknown) | undefined;
  /** Reports failures of the store, and what the callbacks throw or reject with. */
  readonly reporter: FailureReporter;
}

const BASE = '/.well-known/est/';

type Serve = (request: IncomingMessage, response: ServerResponse) => unknown;

interface Route {
  readonly methods: readonly string[];
  readonly serve: Serve;
}

export function estListener(settings: EstSettings) {
  const est = new Est(settings);
  return (request: IncomingMessage, response: ServerResponse): Promise<void> => est.answer(request, response);
}

class Est {
  readonly #settings: EstSettings;
  readonly #failed = new FailedAttempts();
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(settings: EstSettings) {
    this.#settings = settings;
    const { authorities, list, reporter } = settings;
    const read = (serve: Serve): Route => ({ methods: ['GET', 'HEAD'], serve });
    const enrol = (path: string): [string, Route] => [
      path,
      { methods: ['POST'], serve: (request, response) => this.#enrol(path, request, response) },
    ];
    this.#routes = new Map([
      ['cacerts', read((_, response) => sendCertificates(response, authorities))],
      ['csrattrs', read((_, response) => response.writeHead(204).end())],
      ['crl', read((request, response) => sendList(response, request, list, reporter))],
      ['health', read((_, response) => answerText(response, 200, {}, 'ok'))],
      enrol('simpleenroll'),
      enrol('simplereenroll'),
    ]);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch (error) {
      if (!(error instanceof Status)) throw error;
      if (error.status === 401) answer(response, error.status, error.headers, '');
      else answerText(response, error.status, error.headers, error.message);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const route = this.#routes.get(url.startsWith(BASE) ? url.slice(BASE.length) : '');
    if (route === undefined) throw new Status(404, 'there is nothing here');
    const { methods, serve } = route;
    if (!methods.includes(method))
      throw new Status(405, `only ${methods.join(' and ')}`, { Allow: methods.join(', ') });
    await serve(request, response);
  }

  async #enrol(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { address: from, certificate: presented } = this.#settings.clientOf(request);
    const token = path === 'simpleenroll' ? tokenOf(request) : undefined;
    const wait = this.#failed.wait(from, Date.now());
    try {
      if (wait > 0)
        throw new Status(429, 'too many failed attempts', { 'Retry-After': String(Math.ceil(wait / 1_000)) });
      if (path === 'simpleenroll' && token === undefined) throw unauthorized();
      const csr = await readRequest(request);
      const certificate = await this.#certify(token, presented, request, { csr, from });
      sendCertificates(response, [certificate], '; smime-type=certs-only');
      const operation = token === undefined ? 'renew' : 'enroll';
      this.#enrolled({ operation, certificate, from, token: token?.id });
    } catch (error) {
      throw this.#refused(error, { path, from, token: token?.id });
    }
  }

  async #certify(
    token: TokenSecret | undefined,
    presented: X509Certificate | undefined,
    request: IncomingMessage,
    asking: Asking,
  ): Promise<X509Certificate> {
    const { enrolment } = this.#settings;
    if (token !== undefined) return enrolment.enrol(token, asking);
    if (presented !== undefined) return enrolment.renew(presented, asking);
    const expired = expiredOf(request);
    if (expired === undefined)
      throw new EnrolmentRefusal('no-certificate', 'renewal needs the certificate that is renewed');
    return enrolment.renewExpired(expired, asking);
  }

  #enrolled(enrolled: EnrolledCertificate): void {
    const { onEnrolled, reporter } = this.#settings;
    reporter.run(() => onEnrolled?.(enrolled), noConnection, 'onEnrolled');
  }

  /** What the client is sent; the log gets everything. */
  #refused(error: unknown, who: Pick<RefusedEnrolment, 'path' | 'from' | 'token'>): unknown {
    const tell = (reason: RefusedEnrolment['reason'], message: string): void => {
      const { onRefused, reporter } = this.#settings;
      reporter.run(() => onRefused?.({ ...who, reason, message }), noConnection, 'onRefused');
    };
    if (error instanceof EnrolmentRefusal) {
      tell(error.reason, error.message);
      if (error.reason === 'policy-failed') return new Status(503, 'no decision', UNAVAILABLE);
      if (error.reason === 'policy' || who.token === undefined) return new Status(403, error.message);
      this.#failed.failed(who.from, Date.now());
      return unauthorized();
    }
    if (error instanceof Status) {
      if (error.status !== 401) tell(error.status === 429 ? 'too-many' : 'request', error.message);
      return error;
    }
    if (!(error instanceof CertificateError)) return error;
    if (SERVER_FAILURES.has(error.code)) {
      this.#settings.reporter.report(error, noConnection, who.path);
      return new Status(503, 'the authority has failed', UNAVAILABLE);
    }
    tell('request', error.message);
    return new Status(400, error.message);
  }
}

/** These mean a failure of the store, not of the request. */
const SERVER_FAILURES: ReadonlySet<string> = new Set([
  'KNSOCK_CERTIFICATE_STORE',
  'KNSOCK_CERTIFICATE_FILE',
  'KNSOCK_CERTIFICATE_UNREADABLE',
  'KNSOCK_CERTIFICATE_NOT_FOUND',
  'KNSOCK_CERTIFICATE_LOCKED',
  'KNSOCK_CERTIFICATE_SIGNER',
]);

/** It is sent without words: Bouncy Castle's client asks once without the token, and fails where the answer has a body. */
function unauthorized(): Status {
  return new Status(401, 'no such token', { 'WWW-Authenticate': 'Basic realm="enrolment"' });
}

function sendCertificates(
  response: ServerResponse,
  certificates: readonly X509Certificate[],
  parameters = '',
): void {
  const headers = {
    'Content-Type': `application/pkcs7-mime${parameters}`,
    'Content-Transfer-Encoding': 'base64',
  };
  answer(response, 200, headers, certsOnly(certificates));
}
