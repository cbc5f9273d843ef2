/**
 * Signed requests to an ACME server (RFC 8555 §6): nonces, and what is tried again by itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { directoryFailure } from './acme-error.js';
import type { AccountKey } from './account-key.js';
import { readDirectory, type Directory } from './directory.js';
import { parseJson } from './json.js';
import { problemError, readProblem } from './problem.js';
import { boundedRetryAfter } from './retry-after.js';
import { exchange, type Reply, type TransportOptions } from './transport.js';

/** Nonces refused in a row before the request fails. */
const MOST_NONCES = 10;
/** Attempts where the server is overloaded, and the pauses between them. */
const ATTEMPTS = 3;
const PAUSE = { least: 1_000, most: 30_000, otherwise: 2_000 };
const MOST_KEPT_NONCES = 16;

/** A request that is signed. */
export interface Signed {
  readonly url: string;
  /** undefined: POST-as-GET (RFC 8555 §6.3). */
  readonly payload?: unknown;
  /** What it asks for, in errors: "the order". */
  readonly what: string;
}

export class AcmeClient {
  /** The account's URL, once it is known. */
  account: string | undefined;
  readonly key: AccountKey;
  readonly host: string;
  readonly #url: string;
  readonly #transport: TransportOptions;
  readonly #nonces: string[] = [];
  #directory: Directory | undefined;

  constructor(directory: string, key: AccountKey, transport: TransportOptions) {
    this.#url = directory;
    this.host = new URL(directory).host;
    this.key = key;
    this.#transport = transport;
  }

  /** @throws AcmeError `KNSOCK_ACME_DIRECTORY` */
  async directory(): Promise<Directory> {
    return (this.#directory ??= await fetchDirectory(this.#url, this.#transport));
  }

  /**
   * Sends a request; a refused nonce and an overloaded server are tried again.
   * @throws AcmeError for every problem that the server reports
   */
  async post(request: Signed): Promise<Reply> {
    let nonces = 0;
    for (let attempt = 1; ;) {
      const reply = await this.#send(request);
      if (reply.status < 400) return reply;
      const problem = readProblem(parseJson(reply.text));
      if (problem.type === 'badNonce' && (nonces += 1) < MOST_NONCES) continue;
      if (isOverloaded(reply) && problem.type !== 'rateLimited' && (attempt += 1) <= ATTEMPTS) {
        await this.pause(boundedRetryAfter(reply.headers['retry-after'], reply.now, PAUSE));
        continue;
      }
      throw this.#failure(request.what, reply);
    }
  }

  /** The body of a reply. @throws AcmeError `KNSOCK_ACME_DIRECTORY` where it is no JSON object */
  json({ text }: Reply): Record<string, unknown> {
    const value = parseJson(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw directoryFailure(`${this.host} answered with something else than a JSON object`);
  }

  /** @throws the signal's reason */
  async pause(ms: number): Promise<void> {
    const { signal } = this.#transport;
    await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    signal?.throwIfAborted();
  }

  async #send({ url, payload }: Signed): Promise<Reply> {
    const nonce = await this.#nonce();
    const who = this.account === undefined ? { jwk: this.key.jwk } : { kid: this.account };
    const body = JSON.stringify(this.key.sign({ ...who, nonce, url }, payload));
    const reply = await exchange(url, { method: 'POST', body }, this.#transport);
    this.#keep(reply);
    return reply;
  }

  async #nonce(): Promise<string> {
    const kept = this.#nonces.pop();
    if (kept !== undefined) return kept;
    const { newNonce } = await this.directory();
    this.#keep(await exchange(newNonce, { method: 'HEAD' }, this.#transport));
    const fresh = this.#nonces.pop();
    if (fresh === undefined) throw directoryFailure(`${this.host} gives no nonces`);
    return fresh;
  }

  #keep({ headers }: Reply): void {
    const nonce = headers['replay-nonce'];
    const isUsable = nonce !== undefined && /^[\w-]{1,1024}$/.test(nonce);
    if (isUsable && this.#nonces.length < MOST_KEPT_NONCES) this.#nonces.push(nonce);
  }

  #failure(what: string, { status, headers, text, now }: Reply): Error {
    const body = parseJson(text);
    const { host } = this;
    if (typeof body !== 'object' || body === null)
      return directoryFailure(`${host} answered the request for ${what} with status ${status}`);
    const otherwise = status >= 500 ? 'KNSOCK_ACME_DIRECTORY' : 'KNSOCK_ACME_REFUSED';
    return problemError(readProblem(body), {
      what,
      host,
      retryAfter: headers['retry-after'],
      now,
      otherwise,
    });
  }
}

const isOverloaded = ({ status }: Reply): boolean => [500, 502, 503, 504].includes(status);

/** @throws AcmeError `KNSOCK_ACME_DIRECTORY` */
export async function fetchDirectory(url: string, transport: TransportOptions): Promise<Directory> {
  const { status, text } = await exchange(url, { method: 'GET' }, transport);
  if (status !== 200) throw directoryFailure(`${url} answered with status ${status}; is that a directory?`);
  return readDirectory(parseJson(text), url);
}
