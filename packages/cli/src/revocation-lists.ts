/** The value of `--crl`: a file belongs to the credentials, a URL is refreshed. */
import { homedir } from 'node:os';
import path from 'node:path';
import type { RefreshingRevocationSource } from '@knsock/certs';
import { UsageError } from './usage-error.js';

/** Whether a list is fetched rather than read. */
export function isOnTheWeb(location: string): boolean {
  return /^https?:\/\//i.test(location);
}

/** The value of `--crl`, for verifyChain. @throws UsageError */
export function listSource(location: string): { file: string } | URL {
  if (!isOnTheWeb(location)) return { file: location };
  if (URL.canParse(location)) return new URL(location);
  throw new UsageError(`${location} is no URL`, 'Such as http://ca.example:9480/ca.crl.');
}

/**
 * The list of `--crl URL`, refreshed as often as its server says and cached for the next start; undefined for a file, or
 * without the flag. The caller closes it.
 * @param failed receives the error of a fetch; the last list stays in force
 * @throws CertificateError for a URL that can't be fetched from
 */
export async function followList(
  { crl }: { readonly crl?: string | undefined },
  failed: (error: Error) => void,
): Promise<RefreshingRevocationSource | undefined> {
  if (crl === undefined || !isOnTheWeb(crl)) return undefined;
  const { revocationSource } = await import('@knsock/certs');
  return revocationSource({ crls: [crl], cacheDir: cacheFolder(), onError: failed });
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
