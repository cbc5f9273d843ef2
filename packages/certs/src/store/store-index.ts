/** The index of a store in memory: what was issued and revoked, followed as the file grows. */
import { dirname } from 'node:path';
import type { IssuedRecord } from '../issuing/record.js';
import { FollowedLines } from './followed-lines.js';
import { requireStore } from './store-there.js';
import { parseJournalLine, type JournalEntry } from './journal.js';

/** The index's record of one certificate. */
export interface StoredCertificate extends IssuedRecord {
  /** The authority that signed it. */
  readonly authority: string;
  /** The path within the store, if it has one. */
  readonly file: string | undefined;
  /** When and why it was revoked; undefined if it wasn't. */
  readonly revoked: { readonly at: Date; readonly reason: string } | undefined;
}

/** One certificate: by its serial (lower-case hex), its SHA-256 fingerprint (likewise), or the latest with a reference. */
export type CertificateQuery =
  { readonly serial: string } | { readonly fingerprint: string } | { readonly reference: string };

type Issued = Extract<JournalEntry, { event: 'issued' }>;
type Revoked = Extract<JournalEntry, { event: 'revoked' }>;

export class StoreIndex {
  readonly #lines: FollowedLines;
  readonly #issued: Issued[] = [];
  readonly #revoked = new Map<string, Revoked>();
  readonly #by = {
    serial: new Map<string, Issued>(),
    fingerprint: new Map<string, Issued>(),
    reference: new Map<string, Issued>(),
  };

  constructor(file: string) {
    this.#lines = new FollowedLines(file, {
      take: (line, number) => {
        this.#take(parseJournalLine(file, line, number));
      },
      reset: () => {
        this.#reset();
      },
      absent: () => requireStore(dirname(file)),
    });
  }

  /** Everything ever issued, oldest first. */
  async all(): Promise<StoredCertificate[]> {
    await this.#lines.catchUp();
    return this.#issued.map((entry) => this.#stored(entry));
  }

  async find(query: CertificateQuery): Promise<StoredCertificate | undefined> {
    await this.#lines.catchUp();
    const entry =
      'serial' in query
        ? this.#by.serial.get(query.serial)
        : 'fingerprint' in query
          ? this.#by.fingerprint.get(query.fingerprint)
          : this.#by.reference.get(query.reference);
    return entry && this.#stored(entry);
  }

  #stored(entry: Issued): StoredCertificate {
    const { event: _, file, ...record } = entry;
    const revocation = this.#revoked.get(entry.serial);
    return { ...record, file, revoked: revocation && { at: revocation.at, reason: revocation.reason } };
  }

  #take(entry: JournalEntry): void {
    if (entry.event === 'revoked') this.#revoked.set(entry.serial, entry);
    if (entry.event !== 'issued') return;
    this.#issued.push(entry);
    this.#by.serial.set(entry.serial, entry);
    this.#by.fingerprint.set(entry.fingerprint, entry);
    if (entry.reference !== undefined) this.#by.reference.set(entry.reference, entry);
  }

  #reset(): void {
    this.#issued.length = 0;
    this.#revoked.clear();
    for (const map of Object.values(this.#by)) map.clear();
  }
}
