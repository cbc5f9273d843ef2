/**
 * Revocation lists cached for the next start: a file for each location, PEM under a line with its URL. Write access to the
 * folder is no more than the ability to answer in the server's place; the issuers' signature is checked again.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseCrls, type CertificateRevocationList } from '@knsock/core/x509';
import { makeFolder, PUBLIC, readIfThere, writeAtomic } from '../files/atomic-file.js';
import { toPem } from '../files/pem.js';
import type { CrlLocation, Fetched } from './crl-location.js';

export class CrlCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The cached lists; undefined if there are none, or they can't be read. */
  async read(location: CrlLocation): Promise<Fetched | undefined> {
    const text = await readIfThere(this.#fileOf(location)).catch(() => undefined);
    const [, head = '', lists = ''] = /^# (\{.*\})\n([^]*)$/.exec(text ?? '') ?? [];
    try {
      const { url, etag, lastModified } = JSON.parse(head) as Record<string, unknown>;
      if (url !== location.toString()) return undefined;
      const crls: CertificateRevocationList[] = parseCrls(lists);
      return { crls, etag: optional(etag), lastModified: optional(lastModified), freshFor: undefined };
    } catch {
      return undefined;
    }
  }

  /** @throws CertificateError `KNSOCK_CERTIFICATE_FILE` */
  async keep(location: CrlLocation, { crls = [], etag, lastModified }: Fetched): Promise<void> {
    await makeFolder(this.#directory);
    const head = JSON.stringify({ url: location.toString(), etag, lastModified });
    const lists = crls.map(({ der }) => toPem('X509 CRL', der)).join('');
    await writeAtomic(this.#fileOf(location), `# ${head}\n${lists}`, { mode: PUBLIC, overwrite: true });
  }

  #fileOf(location: CrlLocation): string {
    const name = createHash('sha256').update(location.toString()).digest('hex').slice(0, 32);
    return join(this.#directory, `${name}.crl`);
  }
}

function optional(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
