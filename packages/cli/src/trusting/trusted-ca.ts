/** The CA to trust: this user's development CA, or one in a file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { X509Certificate } from '@knsock/core/x509';
import { naming, readInput } from '../files.js';
import { passphraseOf } from '../options.js';
import { developmentRoot } from '../serving/development.js';
import { UsageError } from '../usage-error.js';
import type { TrustedCa } from './stores.js';

export interface ChosenCa extends TrustedCa {
  /** The file it was read from. */
  readonly source: string;
  readonly certificate: X509Certificate;
  /** Whether it may sign for any name at all. */
  readonly unlimited: boolean;
}

/**
 * Runs `work` with the CA in a separate file; undefined if this user has no development CA, and none is to be made.
 * @throws UsageError for a file that holds no CA
 */
export async function withCa<T>(
  { ca, make }: { readonly ca: string | undefined; readonly make: boolean },
  work: (chosen: ChosenCa | undefined) => Promise<T>,
): Promise<T> {
  const source = ca ?? (await developmentRoot(make));
  if (source === undefined) return work(undefined);
  const certificate = await rootIn(source);
  if (certificate?.basicConstraints?.ca !== true || !certificate.isSelfIssued)
    throw new UsageError(
      `${source} holds no root certificate of a CA`,
      'Give the root certificate, the one that clients pass to --ca.',
    );
  const folder = await mkdtemp(path.join(tmpdir(), 'knsock-trust-'));
  try {
    const file = path.join(folder, 'ca.crt');
    await writeFile(file, certificate.pem);
    const alias = `knsock-${certificate.fingerprint256.slice(0, 16)}`;
    // A development CA's root key was discarded, and its intermediate is limited to local names.
    const unlimited = ca !== undefined && certificate.nameConstraints === undefined;
    return await work({ file, alias, source, certificate, unlimited });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The last certificate, as bundles have the root. */
async function rootIn(source: string): Promise<X509Certificate | undefined> {
  const { allCertificates, certificatesIn } = await import('@knsock/core/x509');
  const input = await readInput(source);
  const passphrase = await passphraseOf(undefined);
  return naming(source, async () => allCertificates(await certificatesIn(input, { passphrase })).at(-1));
}
