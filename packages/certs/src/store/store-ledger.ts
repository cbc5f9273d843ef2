/** The ledger of one authority of a store: on disk, under the store's lock. */
import { basename } from 'node:path';
import type { X509Certificate } from '@knsock/core/x509';
import { PUBLIC, writeAtomic } from '../files/atomic-file.js';
import { laterRevocation, type Crl, type Revocation, type RevocationRecord } from '../revocation/crl.js';
import { CertificateError } from '../errors.js';
import { appendJournal, readJournal, type JournalEntry } from './journal.js';
import type { Ledger, MakeList, Material } from '../authorities/ledger.js';
import { barrableNames, type Standing } from '../authorities/renewable.js';
import type { IssuedFiles, IssuedRecord, Placement } from '../issuing/record.js';
import { refuseExisting, writePair } from '../files/pair.js';
import type { HeldLock } from '../files/process-lock.js';
import { readCrls } from '../files/source.js';
import type { StoreFolder } from './store-folder.js';
import { TokenJournal } from './token-journal.js';

export class StoreLedger implements Ledger {
  readonly #folder: StoreFolder;
  readonly #authority: string;

  constructor(folder: StoreFolder, authority: string) {
    this.#folder = folder;
    this.#authority = authority;
  }

  /** The index is written first: every file in the folder is in it, even after a crash between the two. */
  record(record: IssuedRecord, material: Material, placement: Placement): Promise<IssuedFiles | undefined> {
    const folder = this.#folder;
    const files = folder.filesFor(record, placement.file, material.key !== undefined);
    const overwrite = placement.overwrite ?? false;
    return folder.exclusively(async (lock) => {
      if (files !== undefined && !overwrite) await refuseExisting(files);
      const file = files && folder.relative(files.certFile);
      await this.#append(lock, { event: 'issued', authority: this.#authority, file, ...record });
      await this.#archive(record.serial, material.certificate);
      if (files !== undefined) await writePair(files, material, { overwrite });
      return files;
    });
  }

  protect(key: string): Promise<string> {
    return this.#folder.protect(key);
  }

  async find(query: { serial: string } | { fingerprint: string }): Promise<IssuedRecord | undefined> {
    const matches = (record: IssuedRecord) =>
      'serial' in query ? record.serial === query.serial : record.fingerprint === query.fingerprint;
    return (await this.#entries()).filter((entry) => entry.event === 'issued').find(matches);
  }

  /** The end of a hold is an entry of its own: the last one of a serial counts. */
  revoke(revocation: Revocation): Promise<RevocationRecord> {
    return this.#folder.exclusively(async (lock) => {
      const known = (await this.#revocations()).find(({ serial }) => serial === revocation.serial);
      const { changed, ...now } = laterRevocation(known, revocation);
      if (changed) await this.#append(lock, { event: 'revoked', authority: this.#authority, ...now });
      const { serial, at, reason } = now;
      return { serial, at, reason, changed };
    });
  }

  /** Issued by any authority of the store: a root's successor renews what its predecessor issued. */
  async standing(certificate: X509Certificate): Promise<Standing> {
    await this.#folder.requireThere();
    const entries = await readJournal(this.#folder.indexFile);
    const issued = entries.find(
      (entry) => entry.event === 'issued' && entry.fingerprint === certificate.fingerprint256,
    );
    const revoked = entries.findLast(
      (entry): entry is JournalEntry & { event: 'revoked' } =>
        entry.event === 'revoked' &&
        entry.authority === issued?.authority &&
        entry.serial === certificate.serial,
    );
    const bars = new TokenJournal(this.#folder.directory);
    return { revoked, barred: await bars.barred(barrableNames(certificate)) };
  }

  publish(make: MakeList): Promise<Crl> {
    return this.#folder.exclusively(async (lock) => {
      const entries = await this.#entries();
      const last = entries.reduce(
        (most, one) => (one.event === 'crl' ? Math.max(most, one.number) : most),
        0,
      );
      await this.#checkIndex(last);
      const crl = await make(last + 1, await this.#revocations());
      // Recorded before it is published: no number is used twice.
      await this.#append(lock, { event: 'crl', authority: this.#authority, number: crl.number });
      await writeAtomic(this.#folder.crlFile(this.#authority), crl.pem, { mode: PUBLIC, overwrite: true });
      return crl;
    });
  }

  /** One without files is identified by its serial. */
  below({ serial }: IssuedRecord, files: IssuedFiles | undefined): Ledger {
    return new StoreLedger(this.#folder, files === undefined ? serial : basename(files.certFile, '.crt'));
  }

  async #entries(): Promise<JournalEntry[]> {
    await this.#folder.requireThere();
    const entries = await readJournal(this.#folder.indexFile);
    return entries.filter(({ authority }) => authority === this.#authority);
  }

  /** A lost index, or an old copy, would make certificates valid again that later lists have revoked. */
  async #checkIndex(last: number): Promise<void> {
    const file = this.#folder.crlFile(this.#authority);
    // A list that can't be read is signed again, like a missing one.
    const [crl] = await readCrls({ file }).catch(() => []);
    const published = crl?.number === undefined ? 0 : Number(`0x${crl.number}`);
    if (published <= last) return;
    const message = `${file} is list ${published}, and the index knows of ${last} only: it is an old copy, or was lost`;
    throw new CertificateError('KNSOCK_CERTIFICATE_STORE', message, { file: this.#folder.indexFile });
  }

  async #revocations(): Promise<Revocation[]> {
    const entries = (await this.#entries()).filter((entry) => entry.event === 'revoked');
    return [...new Map(entries.map((entry) => [entry.serial, entry])).values()];
  }

  /** Refuses a serial that is in use. */
  #archive(serial: string, certificate: string): Promise<void> {
    return writeAtomic(this.#folder.archiveFile(serial), certificate, { mode: PUBLIC, overwrite: false });
  }

  async #append(lock: HeldLock, entry: JournalEntry): Promise<void> {
    await lock.check();
    await appendJournal(this.#folder.indexFile, entry);
  }
}
