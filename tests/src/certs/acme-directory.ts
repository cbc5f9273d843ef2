/**
 * An ACME server for tests, over real HTTPS: RFC 8555 as far as one order needs it, renewal information (RFC 9773) and
 * profiles (draft-ietf-acme-profiles), which pebble 2.4 lacks. It checks every signature, nonce and URL; it validates
 * nothing, since pebble does. What it answers can be replaced, to be a hostile one.
 */
import { createHash, randomBytes, type JsonWebKey } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createAuthority, type Authority } from '@knsock/certs';
import { parseCertificate, type X509Certificate } from '@knsock/core/x509';
import { Problem, problemType, readSigned, type Signed } from './acme-signed.js';

export interface DirectoryOptions {
  /** The profiles: days of validity by name; default no profiles. */
  readonly profiles?: Readonly<Record<string, number>>;
  /** The window suggested for a certificate, by what it replaces; default no renewal information. */
  readonly suggest?: (certificate: X509Certificate) => unknown;
  /** Days of validity without a profile; default 90. */
  readonly days?: number;
}

/** A request, as far as it was understood. */
export interface Request {
  /** `new-order`, `authorization` … */
  readonly what: string;
  readonly payload: unknown;
}

/** What is answered instead; undefined: nothing is replaced. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Takes the response over. */
  readonly raw?: (response: ServerResponse) => void;
}

interface Order {
  readonly id: string;
  readonly identifiers: readonly { readonly type: string; readonly value: string }[];
  readonly profile: string | undefined;
  readonly replaces: string | undefined;
  status: 'pending' | 'ready' | 'valid';
  chain?: string;
}

export interface AcmeDirectory extends AsyncDisposable {
  readonly url: string;
  /** CA of the directory's own certificate. */
  readonly ca: string;
  /** Signs what it issues. */
  readonly authority: Authority;
  readonly requests: Request[];
  readonly orders: readonly Order[];
  /** Replaces answers; it sees the usual one. */
  interfere: (request: Request, usual: Answer) => Answer | undefined;
  /** Forgets every account, as a CA does that lost its data. */
  forgetAccounts(): void;
  /** Of each account, in their order. */
  contacts(): unknown[];
}

/** Starts one on a free port of this machine. */
export async function startDirectory(options: DirectoryOptions = {}): Promise<AcmeDirectory> {
  const root = await createAuthority({ commonName: 'Root' });
  const authority = await root.intermediate({ commonName: 'Issuing CA' });
  const { chain, key } = await root.issue({ kind: 'server', names: ['localhost'] });
  const server = createServer({ cert: chain, key }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  const directory = new Directory(url, root.certificate, authority, options);
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void directory.serve(request, response);
  });
  directory.end = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return directory;
}

class Directory implements AcmeDirectory {
  readonly url: string;
  readonly ca: string;
  readonly authority: Authority;
  readonly requests: Request[] = [];
  readonly orders: Order[] = [];
  interfere: AcmeDirectory['interfere'] = () => undefined;
  end: () => Promise<void> = () => Promise.resolve();
  readonly #base: string;
  readonly #options: DirectoryOptions;
  readonly #nonces = new Set<string>();
  readonly #accounts = new Map<string, JsonWebKey>();
  readonly #contacts = new Map<string, unknown>();
  /** Certificates by their identifiers of RFC 9773 §4.1. */
  readonly #issued = new Map<string, X509Certificate>();
  readonly #replaced = new Set<string>();

  constructor(base: string, ca: string, authority: Authority, options: DirectoryOptions) {
    this.#base = base;
    this.url = `${base}/directory`;
    this.ca = ca;
    this.authority = authority;
    this.#options = options;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  forgetAccounts(): void {
    this.#accounts.clear();
    this.#contacts.clear();
  }

  contacts(): unknown[] {
    return [...this.#contacts.values()];
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, what = '', ...rest] = (request.url ?? '').split('/');
    const body = await text(request).catch(() => '');
    let payload: unknown;
    let usual: Answer;
    try {
      const signed = request.method === 'POST' ? this.#check(body, request.url ?? '') : undefined;
      payload = signed?.payload;
      usual = await this.#answer(what, rest.join('/'), signed);
    } catch (error) {
      const { type, message, status } =
        error instanceof Problem ? error : new Problem('serverInternal', String(error), 500);
      usual = { status, body: JSON.stringify({ type: problemType(type), detail: message }) };
    }
    const seen = { what, payload };
    this.requests.push(seen);
    const { status = 200, headers = {}, body: answer = '', raw } = this.interfere(seen, usual) ?? usual;
    if (raw !== undefined) {
      raw(response);
      return;
    }
    response.writeHead(status, { 'replay-nonce': this.#nonce(), ...headers });
    response.end(request.method === 'HEAD' ? '' : answer);
  }

  #nonce(): string {
    const nonce = randomBytes(16).toString('base64url');
    this.#nonces.add(nonce);
    return nonce;
  }

  #check(body: string, path: string): Signed {
    return readSigned(body, this.#base + path, {
      takeNonce: (nonce) => this.#nonces.delete(nonce),
      keyOf: (account) => this.#accounts.get(account),
    });
  }

  async #answer(what: string, id: string, signed: Signed | undefined): Promise<Answer> {
    if (what === 'directory') return json(this.#directory());
    if (what === 'new-nonce') return {};
    if (what === 'renewal-info') return this.#renewalInfo(id);
    if (signed === undefined) throw new Problem('malformed', 'a request without a signature', 405);
    if (what === 'new-account') return this.#newAccount(signed);
    if (what === 'account') {
      this.#contacts.set(`${this.#base}/account/${id}`, (signed.payload as Contact).contact);
      return json({ status: 'valid' });
    }
    if (what === 'new-order') return this.#newOrder(signed.payload as NewOrder);
    const order = this.orders.find((one) => one.id === id.split('/')[0]);
    if (order === undefined) throw new Problem('malformed', 'no such order', 404);
    if (what === 'order') return json(this.#show(order));
    if (what === 'authorization') return json(this.#authorization(order, Number(id.split('/')[1])));
    if (what === 'challenge') {
      order.status = 'ready';
      return json({ status: 'processing' });
    }
    if (what === 'finalize') return this.#finalize(order, signed.payload as { csr: string });
    if (what === 'certificate') return { body: order.chain ?? '' };
    throw new Problem('malformed', 'no such resource', 404);
  }

  #directory() {
    const { profiles, suggest } = this.#options;
    const at = (name: string) => `${this.#base}/${name}`;
    const described = Object.keys(profiles ?? {}).map((name) => [name, `${this.#base}/about/${name}`]);
    return {
      newNonce: at('new-nonce'),
      newAccount: at('new-account'),
      newOrder: at('new-order'),
      ...(suggest === undefined ? {} : { renewalInfo: at('renewal-info') }),
      meta: {
        termsOfService: at('terms'),
        ...(profiles === undefined ? {} : { profiles: Object.fromEntries(described) as unknown }),
      },
    };
  }

  #newAccount({ jwk, payload }: Signed): Answer {
    const id = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
    const location = `${this.#base}/account/${id}`;
    this.#accounts.set(location, jwk);
    this.#contacts.set(location, (payload as Contact).contact);
    return { ...json({ status: 'valid' }), status: 201, headers: { location } };
  }

  #newOrder({ identifiers, profile, replaces }: NewOrder): Answer {
    if (profile !== undefined && !Object.hasOwn(this.#options.profiles ?? {}, profile))
      throw new Problem('invalidProfile', `no profile ${profile}`);
    // RFC 9773 §5
    if (replaces !== undefined) {
      if (this.#options.suggest === undefined || !this.#issued.has(replaces))
        throw new Problem('malformed', 'replaces no certificate of this account');
      if (this.#replaced.has(replaces)) throw new Problem('alreadyReplaced', 'replaced already', 409);
    }
    const id = String(this.orders.length + 1);
    const order: Order = { id, identifiers, profile, replaces, status: 'pending' };
    this.orders.push(order);
    return { ...json(this.#show(order)), status: 201, headers: { location: `${this.#base}/order/${id}` } };
  }

  #show({ id, identifiers, profile, replaces, status }: Order) {
    return {
      ...{ status, identifiers, profile, replaces },
      authorizations: identifiers.map((_, index) => `${this.#base}/authorization/${id}/${index}`),
      finalize: `${this.#base}/finalize/${id}`,
      ...(status === 'valid' ? { certificate: `${this.#base}/certificate/${id}` } : {}),
    };
  }

  #authorization({ id, identifiers, status }: Order, index: number) {
    const token = createHash('sha256').update(`${id}/${index}`).digest('base64url');
    const challenges = ['tls-alpn-01', 'http-01'].map((type) => {
      return { type, token, status: 'pending', url: `${this.#base}/challenge/${id}/${index}` };
    });
    return { identifier: identifiers[index], status: status === 'pending' ? status : 'valid', challenges };
  }

  async #finalize(order: Order, { csr }: { readonly csr: string }): Promise<Answer> {
    if (order.status !== 'ready') throw new Problem('orderNotReady', `the order is ${order.status}`, 403);
    const { profiles = {}, days = 90 } = this.#options;
    const names = order.identifiers.map(({ value }) => value);
    const { chain, certificate } = await this.authority.sign(Buffer.from(csr, 'base64url'), {
      ...{ kind: 'server', names, days: order.profile === undefined ? days : profiles[order.profile] },
    });
    order.chain = chain;
    order.status = 'valid';
    const issued = parseCertificate(certificate);
    this.#issued.set(renewalIdOf(issued), issued);
    if (order.replaces !== undefined) this.#replaced.add(order.replaces);
    return json(this.#show(order));
  }

  /** RFC 9773 §4.2: to anybody, without a signature. */
  #renewalInfo(id: string): Answer {
    const certificate = this.#issued.get(id);
    if (certificate === undefined) throw new Problem('malformed', 'no such certificate', 404);
    return { ...json(this.#options.suggest?.(certificate)), headers: { 'retry-after': '21600' } };
  }
}

interface Contact {
  readonly contact?: readonly string[];
}

interface NewOrder {
  readonly identifiers: Order['identifiers'];
  readonly profile?: string;
  readonly replaces?: string;
}

/** RFC 9773 §4.1, from the certificate's own bytes. */
function renewalIdOf({ authorityKeyIdentifier, serialBytes }: X509Certificate): string {
  const key = authorityKeyIdentifier?.keyIdentifier ?? Buffer.alloc(0);
  return `${key.toString('base64url')}.${serialBytes.toString('base64url')}`;
}

function json(value: unknown): Answer {
  return { body: JSON.stringify(value) };
}
