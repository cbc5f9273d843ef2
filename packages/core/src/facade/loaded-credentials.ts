/** Credentials by the files they come from, loaded again only once a file has changed: most calls name the same ones. */
import { stat } from 'node:fs/promises';
import type { Credentials } from '../credentials/credentials.js';
import { loadCredentials } from '../credentials/load.js';
import type { SslMessage } from './ssl-message-options.js';

/** Sets of files that are remembered. */
const MOST = 32;

/** Clocks of file systems tick so often, in milliseconds: a file as young as that may change without a trace. */
const TICK = 20;
let unsettled = 0;

type SslFiles = Pick<SslMessage, 'cafile' | 'certfile' | 'keyfile'>;

/** What the files are now: their paths, and what changes with their content. */
export async function fileStamps({ cafile, certfile, keyfile }: SslFiles): Promise<string> {
  return JSON.stringify(await Promise.all([cafile, certfile, keyfile].map(stamp)));
}

async function stamp(file: string | undefined): Promise<string | null> {
  if (file === undefined) return null;
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(file, { bigint: true });
    const settled = Date.now() - Number(ctimeMs) > TICK;
    return [file, dev, ino, size, mtimeNs, ctimeNs, settled ? '' : ++unsettled].join(':');
  } catch {
    // Loading it says what is wrong, and such a set is never remembered.
    return file;
  }
}

const loaded = new Map<string, Credentials>();

/** @param stamps of the files, taken before: what changes after that is loaded anew next time. @throws CredentialsError */
export async function loadedCredentials(files: SslFiles, stamps: string): Promise<Credentials> {
  const known = loaded.get(stamps);
  if (known !== undefined) return known;
  const { cafile, certfile, keyfile } = files;
  const credentials = await loadCredentials({ caFile: cafile, certFile: certfile, keyFile: keyfile });
  const [oldest] = loaded.keys();
  if (loaded.size >= MOST && oldest !== undefined) loaded.delete(oldest);
  loaded.set(stamps, credentials);
  return credentials;
}
