/** Fetches revocation lists from a file or over HTTP, within limits. */
import { fileURLToPath } from 'node:url';
import { withDeadline } from '@knsock/core/options';
import { parseCrls, type CertificateRevocationList } from '@knsock/core/x509';
import { fileError, readBytes, tooLarge } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';
import { translating } from '../files/source.js';

/** Limits of a fetch. */
export interface FetchBounds {
  readonly timeout: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** A list is public and signed, so plain http is fine for it (RFC 5280 §8), and usual. */
export type CrlLocation = string | URL;

/** Validators by which a server recognises the version fetched before (RFC 9110 13.1). */
export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** The response of a location. */
export interface Fetched extends Validators {
  /** Undefined: not modified. */
  readonly crls: readonly CertificateRevocationList[] | undefined;
  /** How long the response may be cached, in ms; undefined if the server doesn't say. */
  readonly freshFor: number | undefined;
}

const NOTHING = { etag: undefined, lastModified: undefined, freshFor: undefined } as const;

/**
 * Fetches the lists of a location, unless its server says that they are unchanged.
 * @throws CertificateError `KNSOCK_CERTIFICATE_UNREACHABLE`, `_NOT_FOUND`, `_UNREADABLE` or `_MALFORMED`.
 */
export async function fetchChanged(
  location: CrlLocation,
  bounds: FetchBounds,
  before: Validators = NOTHING,
): Promise<Fetched> {
  const url = urlOf(location);
  if (url === undefined || url.protocol === 'file:') {
    const file = url === undefined ? location.toString() : pathOf(url);
    const bytes = await readWithin(file, bounds);
    return { ...NOTHING, crls: translating({ file }, () => parseCrls(bytes)) };
  }
  const { body, ...answer } = await download(url, bounds, before);
  return { ...answer, crls: body && translating({ file: url.href }, () => parseCrls(body)) };
}

/** Whether a location is fetched over the network. */
export function isRemote(location: CrlLocation): boolean {
  const url = urlOf(location);
  return url !== undefined && url.protocol !== 'file:';
}

/**
 * Refuses locations that can never be fetched.
 * @throws CertificateError `KNSOCK_CERTIFICATE_NOT_FOUND`.
 */
export function checkLocation(location: CrlLocation): void {
  const url = urlOf(location);
  if (url === undefined) return;
  if (!['http:', 'https:', 'file:'].includes(url.protocol)) throw noLocation(location);
  if (url.protocol === 'file:') pathOf(url);
  if (url.username !== '' || url.password !== '')
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_NOT_FOUND',
      `a revocation list at ${url.host} is public: its URL may carry no user name and no password`,
    );
}

/** A path has no '://'; a Windows drive is no scheme. */
function urlOf(location: CrlLocation): URL | undefined {
  if (location instanceof URL) return location;
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) return undefined;
  if (!URL.canParse(location)) throw noLocation(location);
  return new URL(location);
}

/** A file URL with another host isn't a file of this machine. */
function pathOf(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw noLocation(url);
  }
}

function noLocation(location: CrlLocation): CertificateError {
  const message = `a revocation list can't be fetched from ${location.toString()}`;
  const hint = 'Name the path of a file, or an http, https or file URL.';
  return new CertificateError('KNSOCK_CERTIFICATE_NOT_FOUND', message, { hint });
}

/** It is read again and again, so that a pipe is none of it; a network folder may not answer. */
function readWithin(file: string, { timeout, maxBytes, signal }: FetchBounds): Promise<Buffer> {
  const late = () => fileError(file, 'read', new Error(`no answer in ${timeout} ms`));
  const run = () => readBytes(file, { maxBytes, onlyRegular: true });
  return withDeadline({ ms: timeout, signal, run, late });
}

interface Answer extends Validators {
  readonly body: Buffer | undefined;
  readonly freshFor: number | undefined;
}

function download(url: URL, { timeout, maxBytes, signal }: FetchBounds, before: Validators): Promise<Answer> {
  const late = () => unreachable(url, `no answer in ${timeout} ms`);
  return withDeadline({ ms: timeout, signal, run: (either) => get(url, maxBytes, either, before), late });
}

async function get(url: URL, maxBytes: number, signal: AbortSignal, before: Validators): Promise<Answer> {
  try {
    const headers = { accept: 'application/pkix-crl, */*', ...conditions(before) };
    const response = await fetch(url, { signal, headers });
    const answer = answerOf(response.headers);
    if (response.status === 304 && hasValidator(before)) {
      await response.body?.cancel();
      return { ...before, freshFor: answer.freshFor, body: undefined };
    }
    if (!response.ok) throw unreachable(url, `status ${response.status}`);
    return { ...answer, body: await readBody(response, url, maxBytes) };
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause;
    throw unreachable(url, causeOf(cause), cause);
  }
}

function conditions({ etag, lastModified }: Validators): Record<string, string> {
  return {
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(lastModified !== undefined && { 'if-modified-since': lastModified }),
  };
}

const hasValidator = ({ etag, lastModified }: Validators): boolean => (etag ?? lastModified) !== undefined;

function answerOf(headers: Headers): Omit<Answer, 'body'> {
  const [, seconds] =
    /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(headers.get('cache-control') ?? '') ?? [];
  return {
    etag: headers.get('etag') ?? undefined,
    lastModified: headers.get('last-modified') ?? undefined,
    freshFor: seconds === undefined ? undefined : Number(seconds) * 1_000,
  };
}

async function readBody(response: Response, url: URL, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest of the body.
  const body: AsyncIterable<Uint8Array> | undefined = response.body ?? undefined;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(url.href, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function unreachable(url: URL, why: string, cause?: unknown): CertificateError {
  const hint = 'Is the server with the revocation list running, and can this machine reach it?';
  return new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', `can't fetch ${url.href}: ${why}`, {
    cause,
    hint,
  });
}

/** fetch hides the system's error one level down. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
