/**
 * What is kept between runs:
 *
 *   tls.crt, tls.key   the certificate with its issuers, and its key (mode 0600)
 *   account.key        the key of the account (mode 0600)
 *   account.json       the account's URL and e-mail address, and the directory it is at
 *   acme.json          which directory and profile the certificate is from
 *   .order.json        the next certificate's key and its order, until it is in place (mode 0600)
 *   .limit.json        until when the CA wants to be left alone, and why
 *
 * Each file is written atomically, and a key before it is used: whenever the process is killed, the next one finishes
 * the order that is under way instead of placing another.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { X509Certificate } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { makeFolder, PUBLIC, readIfThere, SECRET, writeAtomic } from '../files/atomic-file.js';
import { writePair } from '../files/pair.js';
import { withProcessLock, type HeldLock } from '../files/process-lock.js';
import { ReservedFile } from '../files/reserved-file.js';
import { readCertificates } from '../files/source.js';
import { keyMatches } from '../keys/key-matches.js';
import { generateKey, privateKeyPem } from '../keys/keys.js';
import { fieldsOf, parseJson } from './json.js';

/** Where a certificate comes from. */
export interface Origin {
  readonly directory: string;
  readonly profile: string | undefined;
}

/** The account, as the CA has it. */
export interface KnownAccount {
  readonly url: string;
  readonly email: string | undefined;
}

/** An order under way, and the key that it is for. */
export interface PendingOrder extends Origin {
  /** PEM. */
  readonly key: string;
  /** The names, as one text. */
  readonly names: string;
  /** undefined: it was about to be placed. */
  readonly url: string | undefined;
}

/** A rate limit of the CA. */
export interface RateLimit extends Origin {
  /** The names, as one text. */
  readonly names: string;
  /** In ms since 1970. */
  readonly until: number;
  /** The error's message. */
  readonly message: string;
}

/** In characters; the space for a longer one isn't reserved. */
const LONGEST_URL = 2_048;

export class AcmeFolder {
  readonly certFile: string;
  readonly keyFile: string;
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.certFile = join(directory, 'tls.crt');
    this.keyFile = join(directory, 'tls.key');
  }

  /** Creates the folder, accessible only to its owner. */
  prepare(): Promise<void> {
    return makeFolder(this.#directory);
  }

  /** Runs `work` while no other process orders here. */
  exclusively<T>(
    work: (lock: HeldLock) => Promise<T>,
    limits: { readonly timeout: number; readonly signal: AbortSignal | undefined },
  ): Promise<T> {
    return withProcessLock(this.#file('.ordering'), limits, work);
  }

  /** The certificate; undefined where there is none, or no key beside it that fits. */
  async leaf(): Promise<X509Certificate | undefined> {
    const [cert, key] = [await readIfThere(this.certFile), await readIfThere(this.keyFile)];
    if (cert === undefined || key === undefined) return undefined;
    return leafFor(cert, key);
  }

  /** Where the certificate is from; undefined where that isn't known. */
  async origin(): Promise<Origin | undefined> {
    return originIn(await this.#read('acme.json'));
  }

  /** The account's key; made and written where there is none. */
  async accountKey(): Promise<string> {
    const file = this.#file('account.key');
    const there = await readIfThere(file);
    if (there !== undefined) return there;
    const key = privateKeyPem(await generateKey('p256'));
    await writeAtomic(file, key, { mode: SECRET, overwrite: false });
    return key;
  }

  /** The account at that directory. */
  async account(directory: string): Promise<KnownAccount | undefined> {
    const { directory: where, account: url, email } = await this.#read('account.json');
    if (where !== directory || typeof url !== 'string') return undefined;
    return { url, email: typeof email === 'string' ? email : undefined };
  }

  keepAccount(directory: string, { url, email }: KnownAccount): Promise<void> {
    return this.#write('account.json', { directory, account: url, email });
  }

  /** The order under way. */
  async pendingOrder(): Promise<PendingOrder | undefined> {
    const fields = await this.#read('.order.json');
    const origin = originIn(fields);
    const { key, names, url } = fields;
    if (origin === undefined || typeof key !== 'string' || typeof names !== 'string') return undefined;
    return { ...origin, key, names, url: typeof url === 'string' ? url : undefined };
  }

  /**
   * Keeps an order: its key before `place` is called, and then its URL, for which there is space in any case: an order
   * that was placed isn't lost to a disk that is full.
   */
  async keepOrder(order: Omit<PendingOrder, 'url'>, place: () => Promise<string>): Promise<string> {
    const file = this.#file('.order.json');
    const key = textOf(order);
    await writeAtomic(file, key, { mode: SECRET, overwrite: true });
    const reserved = await ReservedFile.reserve(file, key.length + LONGEST_URL);
    try {
      const url = await place();
      await reserved.write(textOf({ ...order, url }));
      return url;
    } finally {
      await reserved.release();
    }
  }

  forgetOrder(): Promise<void> {
    return rm(this.#file('.order.json'), { force: true });
  }

  /** The limit that the CA set last. */
  async limit(): Promise<RateLimit | undefined> {
    const fields = await this.#read('.limit.json');
    const origin = originIn(fields);
    const { names, until, message } = fields;
    if (origin === undefined || typeof names !== 'string') return undefined;
    if (typeof until !== 'number' || typeof message !== 'string') return undefined;
    return { ...origin, names, until, message };
  }

  keepLimit(limit: RateLimit): Promise<void> {
    return this.#write('.limit.json', limit);
  }

  /** Puts a checked certificate and its key in place, and forgets their order. */
  async install(chain: string, key: string, origin: Origin, signal: AbortSignal | undefined): Promise<void> {
    await writePair(this, { chain, key }, { overwrite: true, keepAccess: true, signal });
    await this.#recordOrigin(origin);
    await this.forgetOrder();
  }

  /** Finishes an installation that was interrupted after the certificate was in place. */
  async settle(): Promise<void> {
    const done = await this.#installed();
    // The key may be on its way still.
    if (done !== undefined) await this.install(done.cert, done.order.key, done.order, undefined);
  }

  /** Whether there is such an installation. */
  async isUnsettled(): Promise<boolean> {
    return (await this.#installed()) !== undefined;
  }

  async #installed(): Promise<{ cert: string; order: PendingOrder } | undefined> {
    const order = await this.pendingOrder();
    const cert = await readIfThere(this.certFile);
    if (order === undefined || cert === undefined) return undefined;
    return (await leafFor(cert, order.key)) && { cert, order };
  }

  #recordOrigin({ directory, profile }: Origin): Promise<void> {
    return this.#write('acme.json', { directory, profile });
  }

  async #read(name: string): Promise<Readonly<Record<string, unknown>>> {
    // What is damaged counts as absent: all of it can be had again from the CA.
    return fieldsOf(parseJson((await readIfThere(this.#file(name))) ?? ''));
  }

  #write(name: string, value: unknown): Promise<void> {
    return writeAtomic(this.#file(name), textOf(value), { mode: PUBLIC, overwrite: true });
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}

function textOf(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** The certificate, if the key is its own; what a crash or a full disk left of either counts as absent. */
async function leafFor(cert: string, key: string): Promise<X509Certificate | undefined> {
  try {
    const [leaf] = await readCertificates(cert);
    return keyMatches(cert, key) ? leaf : undefined;
  } catch (error) {
    if (error instanceof CertificateError) return undefined;
    throw error;
  }
}

function originIn({ directory, profile }: Readonly<Record<string, unknown>>): Origin | undefined {
  if (typeof directory !== 'string') return undefined;
  return { directory, profile: typeof profile === 'string' ? profile : undefined };
}
