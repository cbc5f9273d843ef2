/**
 * The index of a store: one JSON object a line, append-only, so that nothing recorded is lost.
 * A crash can leave a torn last line; it was never acknowledged, and the next append cuts it off.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError, flushDirectory, readIfThere } from '../files/atomic-file.js';
import { revocationReasons, type Revocation } from '../revocation/crl.js';
import { CertificateError } from '../errors.js';
import type { IssuedRecord } from '../issuing/record.js';

/** One line of the index. `authority` is the name of the authority that signed. */
export type JournalEntry =
  | ({
      readonly event: 'issued';
      readonly authority: string;
      readonly file?: string | undefined;
    } & IssuedRecord)
  | ({ readonly event: 'revoked'; readonly authority: string } & Revocation)
  | { readonly event: 'crl'; readonly authority: string; readonly number: number };

/**
 * Reads all entries.
 * @throws CertificateError `KNSOCK_CERTIFICATE_STORE` for a damaged line, naming it.
 */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  return (await readLines(path)).map((line, index) => parseJournalLine(path, line, index + 1));
}

/** The complete lines. */
async function readLines(path: string): Promise<string[]> {
  const text = (await readIfThere(path)) ?? '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
}

/**
 * Reads one line of the index.
 * @throws CertificateError `KNSOCK_CERTIFICATE_STORE`, naming the line.
 */
export function parseJournalLine(path: string, line: string, number: number): JournalEntry {
  try {
    return revive(JSON.parse(line) as Record<string, unknown>);
  } catch (cause) {
    throw damagedLine(path, number, cause);
  }
}

/** The error for a damaged line. */
export function damagedLine(path: string, number: number, cause: unknown): CertificateError {
  const message = `line ${number} of ${path} is damaged`;
  return new CertificateError('KNSOCK_CERTIFICATE_STORE', message, { cause, file: path });
}

/** Appends an entry and flushes it; the caller holds the store's lock. */
export function appendJournal(path: string, entry: JournalEntry): Promise<void> {
  return appendLine(path, entry);
}

/** Appends any object as a line and flushes it; the caller holds the lock of the file. */
export async function appendLine(path: string, entry: object): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    await cutTornLine(file);
    await file.appendFile(`${JSON.stringify(entry)}\n`);
    await file.sync();
    // A new index is durable once its folder is flushed.
    if (size === 0) await flushDirectory(dirname(path));
  } catch (cause) {
    throw fileError(path, 'append to', cause);
  } finally {
    await file?.close();
  }
}

async function cutTornLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  const last = Buffer.alloc(1);
  if (size === 0 || ((await file.read(last, 0, 1, size - 1)).bytesRead === 1 && last[0] === 0x0a)) return;
  const text = await file.readFile();
  await file.truncate(text.lastIndexOf(0x0a) + 1);
}

function revive(entry: Record<string, unknown>): JournalEntry {
  const authority = text(entry['authority']);
  switch (entry['event']) {
    case 'issued':
      return { event: 'issued', authority, file: optionalText(entry['file']), ...reviveRecord(entry) };
    case 'revoked':
      return {
        event: 'revoked',
        authority,
        serial: text(entry['serial']),
        at: date(entry['at']),
        reason: reason(entry['reason']),
      };
    case 'crl':
      return { event: 'crl', authority, number: Number(entry['number']) };
    default:
      throw new TypeError('an unknown event');
  }
}

function reviveRecord(entry: Record<string, unknown>): IssuedRecord {
  return {
    serial: text(entry['serial']),
    kind: text(entry['kind']) as IssuedRecord['kind'],
    names: (entry['names'] as unknown[]).map(text),
    commonName: optionalText(entry['commonName']),
    notBefore: date(entry['notBefore']),
    notAfter: date(entry['notAfter']),
    fingerprint: text(entry['fingerprint']),
    reference: optionalText(entry['reference']),
  };
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('text is missing');
  return value;
}

function optionalText(value: unknown): string | undefined {
  return value === undefined ? undefined : text(value);
}

function date(value: unknown): Date {
  const parsed = new Date(text(value));
  if (Number.isNaN(parsed.getTime())) throw new TypeError('a date is damaged');
  return parsed;
}

function reason(value: unknown): Revocation['reason'] {
  const known = revocationReasons.find((one) => one === value);
  if (known === undefined) throw new TypeError('an unknown reason');
  return known;
}
