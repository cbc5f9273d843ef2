/** Credentials from files. */
import { fromFile } from '../errors/from-node.js';
import { checkOptions, filePath, string, textOrTexts, type OptionReaders } from '../options/index.js';
import { readWhole, type ReadBounds } from '../waiting/read-whole.js';
import { openCredentials, type Credentials, type CredentialsOptions } from './credentials.js';
import type { Origins } from './origins.js';

/** Which files hold the credentials; paths are seen from the working folder. */
export interface CredentialFiles {
  /** The certificate, then those that lead to the CA: PEM, PKCS#7, or the one certificate as DER. */
  certFile?: string | undefined;
  /** PEM, DER, JWK, or OpenSSH without a passphrase. */
  keyFile?: string | undefined;
  /** Whom to trust: PEM, PKCS#7, DER, or a trust store (PKCS#12, Java's); one file or several. */
  caFile?: string | readonly string[] | undefined;
  /** PEM (any number of lists) or DER; one file or several. */
  crlFile?: string | readonly string[] | undefined;
  /** PKCS#12, instead of `certFile` and `keyFile`. */
  pfxFile?: string | undefined;
  /** Which key of `pfxFile` is meant, by its friendly name (Java's alias); default the first that has its certificate there. */
  pfxKeyName?: string | undefined;
  /** Opens the key and PKCS#12 files. */
  passphrase?: string | undefined;
}

const fileOptions = ['certFile', 'keyFile', 'caFile', 'crlFile', 'pfxFile'] as const;

/** How each of them is read; none has a default. */
export const credentialFileOptions = {
  certFile: filePath,
  keyFile: filePath,
  caFile: textOrTexts,
  crlFile: textOrTexts,
  pfxFile: filePath,
  pfxKeyName: string,
  passphrase: string,
} as const satisfies OptionReaders<CredentialFiles>;

/**
 * Reads and checks credentials.
 * @throws CredentialsError naming the file and what is wrong with it
 */
export async function loadCredentials(files: CredentialFiles): Promise<Credentials> {
  checkFiles(files);
  const read = pathsOf(files).map(async (path) => [path, await readFileOf(path)] as const);
  return openCredentials(optionsOf(files, new Map(await Promise.all(read))), originsOf(files));
}

/** The same as values, from what was read of each path. */
export function optionsOf(
  { certFile, keyFile, caFile, crlFile, pfxFile, pfxKeyName, passphrase }: CredentialFiles,
  contents: ReadonlyMap<string, Buffer>,
): CredentialsOptions {
  const one = (file: string | undefined) => (file === undefined ? undefined : contents.get(file));
  const each = (given: string | readonly string[] | undefined) =>
    listed(given)?.map((file) => contents.get(file) as Buffer);
  return {
    cert: one(certFile),
    key: one(keyFile),
    pfx: one(pfxFile),
    ca: each(caFile),
    crl: each(crlFile),
    pfxKeyName,
    passphrase,
  };
}

/** The names of the files, for errors. */
export function originsOf({ certFile, keyFile, caFile, crlFile, pfxFile }: CredentialFiles): Origins {
  const [ca, crl] = [listed(caFile), listed(crlFile)];
  return {
    ...(certFile !== undefined && { cert: certFile }),
    ...(keyFile !== undefined && { key: keyFile }),
    ...(ca !== undefined && { ca }),
    ...(crl !== undefined && { crl }),
    ...(pfxFile !== undefined && { pfx: pfxFile }),
  };
}

/** @throws InvalidOptionError */
export function checkFiles(files: CredentialFiles): void {
  checkOptions(files, credentialFileOptions);
}

/** The paths of all of them, each once: of a pipe two readers would get half each. */
export function pathsOf(files: CredentialFiles): string[] {
  return [...new Set(fileOptions.flatMap((option) => listed(files[option]) ?? []))];
}

/** One path or several, as a list. */
export function listed(files: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof files === 'string' ? [files] : files;
}

/** @throws CredentialsError 'missing-file', 'unreadable'; the signal's reason */
export async function readFileOf(file: string, bounds: ReadBounds = {}): Promise<Buffer> {
  try {
    return await readWhole(file, bounds);
  } catch (error) {
    bounds.signal?.throwIfAborted();
    throw fromFile(error as Error, file);
  }
}
