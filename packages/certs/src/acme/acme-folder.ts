/**
 * What is kept between runs:
 *
 *   tls.crt, tls.key   the certificate with its issuers, and its key (mode 0600)
 *   account.key        the key of the account (mode 0600)
 *   account.json       the account's URL, and the directory it is at
 *   acme.json          which directory and profile the certificate is from
 *   .order.key, .order.json   the key and the order under way, until their certificate is in place
 *
 * Each file is written atomically, and a key before it is used: whenever the process is killed, the next one finishes
 * the order that is under way instead of placing another.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { X509Certificate } from '@knsock/core/x509';
import { makeFolder, PUBLIC, readIfThere, SECRET, writeAtomic } from '../files/atomic-file.js';
import { writePair } from '../files/pair.js';
import { withProcessLock, type HeldLock } from '../files/process-lock.js';
import { readCertificates } from '../files/source.js';
import { keyMatches } from '../keys/key-matches.js';
import { generateKey, privateKeyPem } from '../keys/keys.js';
import { fieldsOf, parseJson } from './json.js';

/** Where a certificate comes from. */
export interface Origin {
  readonly directory: string;
  readonly profile: string | undefined;
}

/** An order under way. */
export interface PendingOrder extends Origin {
  readonly url: string;
  /** The names, as one text. */
  readonly names: string;
}

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
    const [leaf] = await readCertificates(cert);
    return keyMatches(cert, key) ? leaf : undefined;
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

  /** The account's URL at that directory. */
  async account(directory: string): Promise<string | undefined> {
    const { directory: where, account } = await this.#read('account.json');
    return where === directory && typeof account === 'string' ? account : undefined;
  }

  keepAccount(directory: string, account: string): Promise<void> {
    return this.#write('account.json', { directory, account });
  }

  /** The order under way and its key; undefined unless both are there. */
  async pendingOrder(): Promise<{ order: PendingOrder; key: string } | undefined> {
    const key = await readIfThere(this.#file('.order.key'));
    const fields = await this.#read('.order.json');
    const origin = originIn(fields);
    const { url, names } = fields;
    if (key === undefined || origin === undefined) return undefined;
    if (typeof url !== 'string' || typeof names !== 'string') return undefined;
    return { order: { ...origin, url, names }, key };
  }

  /** Keeps the next certificate's key, before it is ordered. */
  async keepPendingKey(key: string): Promise<void> {
    await this.forgetOrder();
    await writeAtomic(this.#file('.order.key'), key, { mode: SECRET, overwrite: true });
  }

  keepOrder(order: PendingOrder): Promise<void> {
    return this.#write('.order.json', order);
  }

  async forgetOrder(): Promise<void> {
    await rm(this.#file('.order.json'), { force: true });
    await rm(this.#file('.order.key'), { force: true });
  }

  /** Puts a checked certificate and its key in place, and forgets their order. */
  async install(chain: string, key: string, origin: Origin, signal: AbortSignal | undefined): Promise<void> {
    await writePair(this, { chain, key }, { overwrite: true, keepAccess: true, signal });
    await this.#recordOrigin(origin);
    await this.forgetOrder();
  }

  /** Finishes an installation that was interrupted after the certificate was in place. */
  async settle(): Promise<void> {
    const pending = await this.pendingOrder();
    const cert = await readIfThere(this.certFile);
    if (pending === undefined || cert === undefined || !keyMatches(cert, pending.key)) return;
    // The key may be on its way still.
    await this.install(cert, pending.key, pending.order, undefined);
  }

  #recordOrigin({ directory, profile }: Origin): Promise<void> {
    return this.#write('acme.json', { directory, profile });
  }

  async #read(name: string): Promise<Readonly<Record<string, unknown>>> {
    // What is damaged counts as absent: all of it can be had again from the CA.
    return fieldsOf(parseJson((await readIfThere(this.#file(name))) ?? ''));
  }

  #write(name: string, value: unknown): Promise<void> {
    const text = `${JSON.stringify(value)}\n`;
    return writeAtomic(this.#file(name), text, { mode: PUBLIC, overwrite: true });
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}

function originIn({ directory, profile }: Readonly<Record<string, unknown>>): Origin | undefined {
  if (typeof directory !== 'string') return undefined;
  return { directory, profile: typeof profile === 'string' ? profile : undefined };
}
