/** The values of `--crl`: files belong to the credentials, URLs are refreshed. */
import { homedir } from 'node:os';
import path from 'node:path';
import type { RefreshingRevocationSource } from '@knsock/certs';
import type { Credentials, CredentialSource } from '@knsock/core';
import { UsageError } from './usage-error.js';

/** Whether a list is fetched rather than read. */
function isOnTheWeb(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

/** The value of `--crl`, for verifyChain. @throws UsageError */
export function listSource(location: string): { file: string } | URL {
  if (!isOnTheWeb(location)) return { file: location };
  if (URL.canParse(location)) return new URL(location);
  throw new UsageError(`${location} is no URL`, 'Such as http://ca.example:9480/ca.crl.');
}

/** Those that are files, for the credentials; undefined without any. */
export function listFiles(locations: readonly string[] = []): readonly string[] | undefined {
  const files = locations.filter((location) => !isOnTheWeb(location));
  return files.length === 0 ? undefined : files;
}

/**
 * The lists of `--crl URL`, refreshed as often as their servers say and cached for the next start; undefined without a URL.
 * Files given beside them are in it too, since it replaces the lists of the credentials: call `refresh` when these change.
 * The caller closes it.
 * @param failed receives the error of a fetch; the last list stays in force
 * @throws CertificateError for a URL that can't be fetched from
 */
export async function followLists(
  { crl = [] }: { readonly crl?: readonly string[] | undefined },
  failed: (error: Error) => void,
): Promise<RefreshingRevocationSource | undefined> {
  if (!crl.some(isOnTheWeb)) return undefined;
  const { revocationSource } = await import('@knsock/certs');
  return revocationSource({ crls: crl, cacheDir: cacheFolder(), onError: failed });
}

/** Looks at the files among the lists when credentials that follow their files have changed. */
export function refreshWith(
  source: Credentials | CredentialSource,
  lists: RefreshingRevocationSource | undefined,
): void {
  if (lists === undefined || !('onChange' in source)) return;
  // Its failures are reported to `failed`.
  source.onChange(() => void lists.refresh().catch(() => undefined));
}

/** The cache folder of a systemd service (`CacheDirectory=`), else the user's. */
function cacheFolder(): string {
  const { CACHE_DIRECTORY = '', XDG_CACHE_HOME = '', LOCALAPPDATA = '' } = process.env;
  const own = process.platform === 'win32' ? LOCALAPPDATA : XDG_CACHE_HOME;
  const base = [CACHE_DIRECTORY.split(':')[0], own, path.join(homedir(), '.cache')].find(
    (folder) => folder !== undefined && path.isAbsolute(folder),
  );
  return path.join(base ?? '.', 'knsock', 'lists');
}
