/** Credentials from files. */
import { fromFile } from '../errors/from-node.js';
import { anything, checkOptions, string, text, type OptionReaders } from '../options/index.js';
import type { CertificateRevocationList } from '../x509/index.js';
import { readWhole } from '../waiting/read-whole.js';
import { openCredentials, type Credentials } from './credentials.js';

/** Which files hold the credentials; paths are seen from the working folder. */
export interface CredentialFiles {
  /** The certificate, then those that lead to the CA: PEM, PKCS#7, or the one certificate as DER. */
  certFile?: string | undefined;
  /** PEM, DER, JWK, or OpenSSH without a passphrase. */
  keyFile?: string | undefined;
  /** Whom to trust: PEM, PKCS#7 or DER. */
  caFile?: string | undefined;
  /** PEM (any number of lists) or DER. */
  crlFile?: string | undefined;
  /** PKCS#12, instead of `certFile` and `keyFile`. */
  pfxFile?: string | undefined;
  /** Which key of `pfxFile` is meant, by its friendly name (Java's alias); default the first that has its certificate there. */
  pfxKeyName?: string | undefined;
  /** Opens the key, or the PKCS#12 file. */
  passphrase?: string | undefined;
}

export const fileOptions = ['certFile', 'keyFile', 'caFile', 'crlFile', 'pfxFile'] as const;

/** How each of them is read; none has a default. */
export const credentialFileOptions = {
  certFile: text,
  keyFile: text,
  caFile: text,
  crlFile: text,
  pfxFile: text,
  pfxKeyName: string,
  passphrase: anything,
} as const satisfies OptionReaders<CredentialFiles>;

/**
 * Reads and checks credentials.
 * @throws CredentialsError naming the file and what is wrong with it
 */
export function loadCredentials(files: CredentialFiles): Promise<Credentials> {
  return loadAfter(files, []);
}

/** Reads and checks credentials that follow others; of the lists of those none is replaced by an older one. */
export async function loadAfter(
  files: CredentialFiles,
  listsInUse: readonly CertificateRevocationList[],
): Promise<Credentials> {
  checkFiles(files);
  const [cert, key, ca, crl, pfx] = await Promise.all(fileOptions.map((which) => read(which, files)));
  const origins = {
    ...(files.certFile !== undefined && { cert: files.certFile }),
    ...(files.keyFile !== undefined && { key: files.keyFile }),
    ...(files.caFile !== undefined && { ca: files.caFile }),
    ...(files.crlFile !== undefined && { crl: files.crlFile }),
    ...(files.pfxFile !== undefined && { pfx: files.pfxFile }),
  };
  const { passphrase, pfxKeyName } = files;
  return openCredentials({ cert, key, ca, crl, pfx, pfxKeyName, passphrase }, origins, listsInUse);
}

/** @throws InvalidOptionError */
export function checkFiles(files: CredentialFiles): void {
  checkOptions(files, credentialFileOptions);
}

async function read(
  which: (typeof fileOptions)[number],
  files: CredentialFiles,
): Promise<Buffer | undefined> {
  const file = files[which];
  if (file === undefined) return undefined;
  try {
    return await readWhole(file);
  } catch (error) {
    throw fromFile(error as Error, file);
  }
}
