/**
 * EST client (RFC 7030), over core's connections.
 *
 * Rules
 * - A secret is sent only over a connection whose chain ends in a known root, and whose certificate has the
 *   name in the address.
 * - Of what is received without that (the authority's certificates at the first contact) only the fingerprint counts.
 */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createCredentials } from '@knsock/core';
import { SecureAgent, type HttpClientOptions } from '@knsock/core/http';
import { withDeadline } from '@knsock/core/options';
import { parseCertificates, type X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { failureOf } from './est-failure.js';

/** The authority's address, and how long each response may take. */
export interface EstPlace {
  /** `host:port`. */
  readonly address: string;
  /** In ms. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** Trusted roots and client certificate; PEM. */
export interface EstTrust {
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** A certificate signing request. */
export interface EstRequest {
  readonly path: 'simpleenroll' | 'simplereenroll';
  /** PEM. */
  readonly csr: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const MOST_BYTES = 1_048_576;

/**
 * The authority's certificates, one of which has the known root's fingerprint.
 * @throws CertificateError `KNSOCK_CERTIFICATE_AUTHORITY` if none has
 */
export async function fetchPinned(place: EstPlace, root: string): Promise<X509Certificate[]> {
  const certificates = await fetchOffered(place);
  if (certificates.some(({ fingerprint256 }) => fingerprint256 === root)) return certificates;
  const found = certificates.find(({ isSelfIssued }) => isSelfIssued)?.fingerprint256 ?? 'none';
  const message = `the root at ${place.address} has the fingerprint ${found}, and ${root} was expected`;
  throw new CertificateError('KNSOCK_CERTIFICATE_AUTHORITY', message);
}

/**
 * The authority's certificates, from an unverified server: only what known roots have signed is used. A machine that
 * knows only the old root can't have a verified connection once the new one is in use.
 */
export function fetchOffered(place: EstPlace): Promise<X509Certificate[]> {
  return exchange(place, { dangerouslySkipVerification: true }, 'cacerts', {});
}

/** The response to a request, over a verified connection. @throws CertificateError, EasySocketError */
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
  const agent = new SecureAgent({ ...options, connectTimeout: timeout, keepAlive: false });
  const url = new URL(`https://${address}/.well-known/est/${path}`);
  const late = () =>
    new CertificateError(
      'KNSOCK_CERTIFICATE_UNREACHABLE',
      `${address} didn't answer within ${timeout.toLocaleString('en')} ms`,
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
