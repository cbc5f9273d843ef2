/**
 * An authority's records: what it issued, what it revoked, and the number of its last revocation list.
 * In memory here; a store keeps the same on disk.
 */
import type { X509Certificate } from '@knsock/core/x509';
import type { IssuedFiles, IssuedRecord, Placement } from '../issuing/record.js';
import { laterRevocation, type Crl, type Revocation, type RevocationRecord } from '../revocation/crl.js';
import type { Standing } from './renewable.js';

/** What an authority passes to the ledger; PEM. The key is absent if a request was signed. */
export interface Material {
  readonly certificate: string;
  readonly chain: string;
  readonly key?: string | undefined;
}

/** Signs a list of that number. */
export type MakeList = (number: number, revoked: readonly Revocation[]) => Promise<Crl>;

/** An authority's records. Every method resolves when its record is durable. */
export interface Ledger {
  /** Records a certificate before it is handed out, and puts its files in place if there is a folder. */
  record(record: IssuedRecord, material: Material, placement: Placement): Promise<IssuedFiles | undefined>;
  /** An authority's key, PEM, in the form in which it is stored. */
  protect(key: string): Promise<string>;
  find(query: { serial: string } | { fingerprint: string }): Promise<IssuedRecord | undefined>;
  /** Records a revocation; a second one of the same serial changes nothing, except that it ends a hold. */
  revoke(revocation: Revocation): Promise<RevocationRecord>;
  /**
   * What is known of a certificate that is to be renewed.
   * @param isOwn whether this authority issued it, also where that wasn't recorded
   */
  standing(certificate: X509Certificate, isOwn: boolean): Promise<Standing>;
  /** Has a list signed with the next number and all revocations, and stores it. */
  publish(make: MakeList): Promise<Crl>;
  /** The ledger of an authority recorded here, with its files. */
  below(record: IssuedRecord, files: IssuedFiles | undefined): Ledger;
}

/** A ledger that lives as long as the process. */
export class MemoryLedger implements Ledger {
  readonly #issued = new Map<string, IssuedRecord>();
  readonly #revoked = new Map<string, Revocation>();
  #number: number;

  /** Continues from a list that was published elsewhere. */
  constructor(
    last: { readonly number: number; readonly revoked: readonly Revocation[] } = { number: 0, revoked: [] },
  ) {
    this.#number = last.number;
    for (const revocation of last.revoked) this.#revoked.set(revocation.serial, revocation);
  }

  record(record: IssuedRecord): Promise<undefined> {
    this.#issued.set(record.serial, record);
    return Promise.resolve(undefined);
  }

  protect(key: string): Promise<string> {
    return Promise.resolve(key);
  }

  find(query: { serial: string } | { fingerprint: string }): Promise<IssuedRecord | undefined> {
    if ('serial' in query) return Promise.resolve(this.#issued.get(query.serial));
    const records = [...this.#issued.values()];
    return Promise.resolve(records.find(({ fingerprint }) => fingerprint === query.fingerprint));
  }

  revoke(revocation: Revocation): Promise<RevocationRecord> {
    const { changed, ...now } = laterRevocation(this.#revoked.get(revocation.serial), revocation);
    if (changed) this.#revoked.set(now.serial, now);
    return Promise.resolve({ ...now, changed });
  }

  standing({ serial }: X509Certificate, isOwn: boolean): Promise<Standing> {
    const revoked = isOwn ? this.#revoked.get(serial) : undefined;
    return Promise.resolve({ revoked, barred: undefined });
  }

  publish(make: MakeList): Promise<Crl> {
    this.#number += 1;
    return make(this.#number, [...this.#revoked.values()]);
  }

  below(): Ledger {
    return new MemoryLedger();
  }
}
