/** The revocation list as it is served: signed again after each revocation, and well before the next update. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Authority } from '../authorities/authority.js';
import type { Crl } from '../revocation/crl.js';
import { requireStore } from '../store/store-there.js';
import type { Store } from '../store/store.js';
import { derOf } from '../files/pem.js';

interface Published {
  readonly der: Buffer;
  readonly number: number;
  readonly revoked: string;
  /** When to sign the next one. */
  readonly until: number;
}

export class PublishedList {
  readonly #store: Store;
  readonly #authority: Authority;
  readonly #days: number;
  #current: Published | undefined;
  #seen = '';
  #turn: Promise<unknown> = Promise.resolve();

  constructor(store: Store, authority: Authority, days: number) {
    this.#store = store;
    this.#authority = authority;
    this.#days = days;
  }

  /** The current list; calls are serialised, so that concurrent requests sign only one list. */
  current(): Promise<{ readonly der: Buffer; readonly number: number }> {
    const turn = this.#turn.then(() => this.#refresh());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #refresh(): Promise<Published> {
    const now = Date.now();
    const index = await this.#indexState();
    const current = this.#current;
    if (current !== undefined && now < current.until && index === this.#seen) return current;
    const revoked = await this.#revoked();
    if (current === undefined || now >= current.until || revoked !== current.revoked)
      this.#current = published(await this.#authority.crl({ days: this.#days }), revoked, now, this.#days);
    // Publishing itself adds a line to the index. A line added meanwhile is seen at the next call.
    this.#seen = current === this.#current ? index : '';
    return this.#current as Published;
  }

  /** @throws CertificateError `KNSOCK_CERTIFICATE_STORE` where the store is gone, `_FILE` */
  async #indexState(): Promise<string> {
    await requireStore(this.#store.directory);
    const { size, mtimeMs } = await stat(join(this.#store.directory, 'index.jsonl'));
    return `${size} ${mtimeMs}`;
  }

  async #revoked(): Promise<string> {
    const certificates = await this.#store.certificates();
    return certificates.flatMap(({ serial, revoked }) => (revoked === undefined ? [] : [serial])).join(' ');
  }
}

const DAY_MS = 86_400_000;

function published({ pem, number }: Crl, revoked: string, now: number, days: number): Published {
  const der = derOf(pem, 'revocation list');
  return { der, number, revoked, until: now + (days * DAY_MS) / 2 };
}
