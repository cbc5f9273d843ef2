/** Credentials by the files they come from, loaded again only once a file has changed. */
import { statSync } from 'node:fs';
import type { Credentials } from '../credentials/credentials.js';
import { loadSslCredentials, type SslMessage } from '../facade/ssl-message-options.js';

/** Sets of files that are remembered. */
const MOST = 32;

/** What its files are now: their paths, and what changes with their content. */
export function fileStamps({ cafile, certfile, keyfile }: SslMessage): string {
  return JSON.stringify([cafile, certfile, keyfile].map(stamp));
}

function stamp(file: string | undefined): string | null {
  if (file === undefined) return null;
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats === undefined
    ? file
    : [file, stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':');
}

export class LoadedCredentials {
  readonly #loaded = new Map<string, Credentials>();

  /** @throws CredentialsError */
  async of(message: SslMessage, stamps: string): Promise<Credentials> {
    const known = this.#loaded.get(stamps);
    if (known !== undefined) return known;
    const credentials = await loadSslCredentials(message);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size >= MOST && oldest !== undefined) this.#loaded.delete(oldest);
    this.#loaded.set(stamps, credentials);
    return credentials;
  }
}
