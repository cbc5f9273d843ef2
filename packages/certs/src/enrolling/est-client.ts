/**
 * EST (RFC 7030) from the machine's side, over core's connections.
 *
 * Rules
 * - A secret goes over a connection alone whose chain ends in a root that is known, and whose certificate carries the
 *   name in the address.
 * - What comes without that, the authority's certificates at the first contact, counts for nothing but their fingerprint.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createCredentials } from '@knsock/core';
import { SecureAgent, type HttpClientOptions } from '@knsock/core/http';
import { withDeadline } from '@knsock/core/options';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { failureOf } from './est-failure.js';

/** Where the authority is, and how long each answer may take. */
export interface EstPlace {
  /** `host:port`. */
  readonly address: string;
  /** In ms. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Whom to trust there, and as whom to come; PEM. */
export interface EstTrust {
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** A request to be certified. */
export interface EstRequest {
  readonly path: 'simpleenroll' | 'simplereenroll';
  /** PEM. */
  readonly csr: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const MOST_BYTES = 1_048_576;

/**
 * The authority's certificates, of which one has the fingerprint of the root that is known.
 * @throws CertificateError `KNSOCK_CERTIFICATE_AUTHORITY` where none has
 */
export async function fetchPinned(place: EstPlace, root: string): Promise<X509Certificate[]> {
  const certificates = await fetchOffered(place);
  if (certificates.some(({ fingerprint256 }) => fingerprint256 === root)) return certificates;
  const found = certificates.find(({ isSelfIssued }) => isSelfIssued)?.fingerprint256 ?? 'none';
  const message = `the root at ${place.address} has the fingerprint ${found}, and ${root} was expected`;
  throw new CertificateError('KNSOCK_CERTIFICATE_AUTHORITY', message);
}

/**
 * The authority's certificates, from whoever answers: they count for nothing but what known roots have signed. Not over a
 * verified connection, which a machine that knows the old root alone can't have once the new one is in use.
 */
export function fetchOffered(place: EstPlace): Promise<X509Certificate[]> {
  return exchange(place, { dangerouslySkipVerification: true }, 'cacerts', {});
}

/** What a request is answered with, over a verified connection. @throws CertificateError, EasySocketError */
export function certify(
  place: EstPlace,
  trust: EstTrust,
  { path, csr, headers }: EstRequest,
): Promise<X509Certificate[]> {
  const body = csr.replace(/-----[^-]+-----|\s/g, '');
  return exchange(place, { credentials: createCredentials(trust) }, path, {
    body,
    headers: { ...headers, 'content-type': 'application/pkcs10', 'content-transfer-encoding': 'base64' },
  });
}

interface Sent {
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function exchange(
  { address, timeout, signal }: EstPlace,
  options: HttpClientOptions,
  path: string,
  sent: Sent,
): Promise<X509Certificate[]> {
  const agent = new SecureAgent({ ...options, connectTimeout: timeout }, { keepAlive: false });
  const url = new URL(`https://${address}/.well-known/est/${path}`);
  const late = () =>
    new CertificateError(
      'KNSOCK_CERTIFICATE_UNREACHABLE',
      `${address} didn’t answer within ${timeout.toLocaleString('en')} ms`,
    );
  const { status, headers, body } = await withDeadline({
    ms: timeout,
    signal,
    run: (within) => ask(url, agent, sent, within),
    late,
  });
  if (status !== 200) throw failureOf({ address, path, status, headers, text: body.toString('utf8') });
  try {
    return parseCertificates(Buffer.from(body.toString('latin1'), 'base64'));
  } catch (cause) {
    const message = `the answer of ${address} holds no certificates`;
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message, { cause });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function ask(url: URL, agent: SecureAgent, { body, headers }: Sent, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = httpsRequest(url, { agent, method, headers: { ...headers }, signal }, (response) => {
      bodyOf(response).then((received) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received });
      }, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) {
      const message = `the answer is over the limit of ${MOST_BYTES.toLocaleString('en')} bytes`;
      throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', message);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
