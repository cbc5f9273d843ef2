/**
 * What an authority remembers: what it issued, what it withdrew, and the number of its last revocation list.
 * In memory here; a store keeps the same on disk.
 */
import { anything, flag, type OptionReaders } from '@knsock/core/options';
import type { CertificateKind } from './extensions.js';
import type { Crl, Revocation } from '../revocation/crl.js';

/** One certificate that an authority has signed. */
export interface IssuedRecord {
  /** Lower-case hex without leading zero bytes, as core's `X509Certificate.serial`. */
  readonly serial: string;
  readonly kind: CertificateKind | 'authority';
  /** The names as text, and the common name where there is one. */
  readonly names: readonly string[];
  readonly commonName: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  /** What the signing policy said that it was signed for. */
  readonly reference?: string | undefined;
}

/** Where a store puts the files of an issued certificate. */
export interface Placement {
  /** Name of the files without their endings; by default made from the first name. `false` places none. */
  readonly file?: string | false | undefined;
  /** Replaces files of that name; default false. */
  readonly overwrite?: boolean | undefined;
}

/** For `checkOptions`; a wrong name is refused where files are named. */
export const placementReaders = {
  file: anything,
  overwrite: flag,
} as const satisfies OptionReaders<Placement>;

/** What an authority hands over to be kept; PEM. The key is absent where a request was signed. */
export interface Material {
  readonly certificate: string;
  readonly chain: string;
  readonly key?: string | undefined;
}

/** Where a store has put them. */
export interface IssuedFiles {
  /** Leaf first, then its issuers without the root: what a server loads as `certFile`. */
  readonly certFile: string;
  /** Absent where a request was signed: its maker has the key. */
  readonly keyFile?: string | undefined;
}

/** What an authority remembers. Every method resolves when its record is safe. */
export interface Ledger {
  /** Records a certificate before anybody gets it, and puts its files in their place where there is one. */
  record(record: IssuedRecord, material: Material, placement: Placement): Promise<IssuedFiles | undefined>;
  /** An authority's key, PEM, in the form in which it is kept. */
  protect(key: string): Promise<string>;
  find(query: { serial: string } | { fingerprint: string }): Promise<IssuedRecord | undefined>;
  /** Records a revocation; a second one of the same serial changes nothing. */
  revoke(revocation: Revocation): Promise<void>;
  /** Has a list made with the next number and all revocations, and keeps it. */
  publish(make: (number: number, revoked: readonly Revocation[]) => Crl): Promise<Crl>;
  /** The ledger of an authority that was recorded here, with the files that it got. */
  below(record: IssuedRecord, files: IssuedFiles | undefined): Ledger;
}

/** A ledger that lives as long as the process. */
export class MemoryLedger implements Ledger {
  readonly #issued = new Map<string, IssuedRecord>();
  readonly #revoked = new Map<string, Revocation>();
  #number: number;

  /** Goes on from a list that was published elsewhere. */
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

  revoke(revocation: Revocation): Promise<void> {
    if (!this.#revoked.has(revocation.serial)) this.#revoked.set(revocation.serial, revocation);
    return Promise.resolve();
  }

  publish(make: (number: number, revoked: readonly Revocation[]) => Crl): Promise<Crl> {
    this.#number += 1;
    return Promise.resolve(make(this.#number, [...this.#revoked.values()]));
  }

  below(): Ledger {
    return new MemoryLedger();
  }
}
