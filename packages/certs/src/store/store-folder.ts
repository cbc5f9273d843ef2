/**
 * The folder of a store:
 *
 *   ca/NAME.crt          an authority and its issuers, the root last (what `caFile` takes)
 *   ca/NAME.key          its key, mode 0600, encrypted if the store has a passphrase
 *   ca/NAME.crl          its last revocation list
 *   ca/NAME.link         a root's name and key, signed by the root that it succeeds
 *   issued/NAME.crt      a certificate and its issuers (what `certFile` takes)
 *   issued/NAME.key      its key, mode 0600
 *   issued/serials/      every certificate ever issued, by serial
 *   index.jsonl          what was issued, revoked and published, a line each
 */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { printable } from '@knsock/core/errors';
import { fileError, makeFolder } from '../files/atomic-file.js';
import { encryptKey } from '../keys/key-encryption.js';
import type { IssuedFiles, IssuedRecord } from '../issuing/record.js';
import { isUnsettled, pairAt, settleFolder } from '../files/pair.js';
import { requireStore } from './store-there.js';
import { withProcessLock, type HeldLock, type LockOptions } from '../files/process-lock.js';

export class StoreFolder {
  readonly directory: string;
  readonly indexFile: string;
  readonly passphrase: string | undefined;
  readonly #lock: LockOptions;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(directory: string, passphrase: string | undefined, lock: LockOptions) {
    this.directory = directory;
    this.indexFile = join(directory, 'index.jsonl');
    this.passphrase = passphrase;
    this.#lock = lock;
  }

  /** Creates the folders and completes what a crash interrupted. */
  async prepare(): Promise<void> {
    for (const folder of ['.', 'ca', 'issued/serials']) await makeFolder(this.#at(folder));
    const folders = ['ca', 'issued', 'issued/serials'].map((folder) => this.#at(folder));
    // Usually there is nothing to complete, and a read-only store can still be read.
    if (!(await Promise.all(folders.map(isUnsettled))).includes(true)) return;
    await this.exclusively(async () => {
      for (const folder of folders) await settleFolder(folder);
    });
  }

  /** Runs `work` while no other process writes to this store. Calls of this process are serialised without polling. */
  exclusively<T>(work: (lock: HeldLock) => Promise<T>): Promise<T> {
    const turn = this.#tail.then(async () => {
      await this.requireThere();
      return withProcessLock(this.#at('.lock'), this.#lock, work);
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** @throws CertificateError `KNSOCK_CERTIFICATE_STORE` if the store is gone: moved, or unmounted */
  requireThere(): Promise<void> {
    return requireStore(this.directory);
  }

  /** The paths of a certificate's files. */
  filesFor(
    record: IssuedRecord,
    file: string | false | undefined,
    withKey: boolean,
  ): IssuedFiles | undefined {
    if (file === false) return undefined;
    const folder = this.#at(record.kind === 'authority' ? 'ca' : 'issued');
    const { certFile, keyFile } = pairAt(folder, file ?? defaultFileName(record));
    return { certFile, keyFile: withKey ? keyFile : undefined };
  }

  archiveFile(serial: string): string {
    return this.#at('issued', 'serials', `${serial}.crt`);
  }

  crlFile(authority: string): string {
    return this.#at('ca', `${authority}.crl`);
  }

  linkFile(name: string): string {
    return this.#at('ca', `${name}.link`);
  }

  authorityFiles(name: string): { certFile: string; keyFile: string } {
    return pairAt(this.#at('ca'), name);
  }

  /** The path within the store, with forward slashes. */
  relative(path: string): string {
    return relative(this.directory, path).split(sep).join('/');
  }

  /** An authority's key as it is written. */
  async protect(key: string): Promise<string> {
    return this.passphrase === undefined ? key : encryptKey(key, this.passphrase);
  }

  /** The names of files with an ending in one of the two folders. */
  async names(folder: 'ca' | 'issued', ending: '.crt' | '.key' | '.link'): Promise<string[]> {
    const files = await readdir(this.#at(folder)).catch((cause: unknown) => {
      throw fileError(this.#at(folder), 'read', cause);
    });
    return files
      .filter((file) => file.endsWith(ending) && !file.startsWith('.'))
      .map((file) => file.slice(0, -ending.length))
      .sort();
  }

  /** Keys that users other than their owner can read, with what to do. */
  async permissionWarnings(): Promise<string[]> {
    if (process.platform === 'win32') return [];
    const keys = [...(await this.names('ca', '.key')).map((name) => this.#at('ca', `${name}.key`))];
    keys.push(...(await this.names('issued', '.key')).map((name) => this.#at('issued', `${name}.key`)));
    return (await Promise.all(keys.map(permissionWarning))).filter((warning) => warning !== undefined);
  }

  #at(...parts: string[]): string {
    return join(this.directory, ...parts);
  }
}

/** A warning about a key that its group or all users can read; undefined if there is none. */
async function permissionWarning(keyFile: string): Promise<string | undefined> {
  const found = await stat(keyFile).catch(() => undefined);
  if (found === undefined || (found.mode & 0o077) === 0) return undefined;
  const shown = (found.mode & 0o777).toString(8).padStart(4, '0');
  return printable(`${keyFile} can be read by others (mode ${shown}): chmod 600 ${quoted(keyFile)}`);
}

/** Quoted for a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function defaultFileName(record: IssuedRecord): string {
  const name = (record.commonName ?? record.names[0] ?? '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/^\*\./, '_wildcard.')
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 200);
  return name === '' ? record.serial : name;
}
