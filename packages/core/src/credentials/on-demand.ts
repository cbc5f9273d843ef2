/** Credentials from files, whose code is read when it's first called. */
import type { Credentials } from './credentials.js';
import type { CredentialFiles } from './load.js';
import type { WatchedCredentials, WatchOptions } from './watch.js';

let loading: typeof import('./load.js') | undefined;
let watching: typeof import('./watch.js') | undefined;

/**
 * Reads and checks credentials.
 * @throws CredentialsError naming the file and what is wrong with it
 */
export async function loadCredentials(files: CredentialFiles): Promise<Credentials> {
  loading ??= await import('./load.js');
  return await loading.loadCredentials(files);
}

/**
 * Loads credentials and follows their files.
 * @throws CredentialsError where the first set can't be used, wrong dates included
 */
export async function watchCredentials(
  files: CredentialFiles,
  options?: WatchOptions,
): Promise<WatchedCredentials> {
  watching ??= await import('./watch.js');
  return await watching.watchCredentials(files, options);
}
