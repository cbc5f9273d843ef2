/** Credentials from files. */
import { fromFile } from '../errors/from-node.js';
import { anything, checkOptions, string, text, textOrTexts, type OptionReaders } from '../options/index.js';
import type { CertificateRevocationList } from '../x509/index.js';
import { readWhole } from '../waiting/read-whole.js';
import { openCredentials, type Credentials } from './credentials.js';

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
  certFile: text,
  keyFile: text,
  caFile: textOrTexts,
  crlFile: textOrTexts,
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
  const [caFiles, crlFiles] = [listed(files.caFile), listed(files.crlFile)];
  const [cert, key, pfx, ca, crl] = await Promise.all([
    read(files.certFile),
    read(files.keyFile),
    read(files.pfxFile),
    readEach(caFiles),
    readEach(crlFiles),
  ]);
  const origins = {
    ...(files.certFile !== undefined && { cert: files.certFile }),
    ...(files.keyFile !== undefined && { key: files.keyFile }),
    ...(caFiles !== undefined && { ca: caFiles }),
    ...(crlFiles !== undefined && { crl: crlFiles }),
    ...(files.pfxFile !== undefined && { pfx: files.pfxFile }),
  };
  const { passphrase, pfxKeyName } = files;
  return openCredentials({ cert, key, ca, crl, pfx, pfxKeyName, passphrase }, origins, listsInUse);
}

/** @throws InvalidOptionError */
export function checkFiles(files: CredentialFiles): void {
  checkOptions(files, credentialFileOptions);
}

/** The paths of all of them, those of one option in its order. */
export function pathsOf(files: CredentialFiles): string[] {
  return fileOptions.flatMap((option) => listed(files[option]) ?? []);
}

function listed(files: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof files === 'string' ? [files] : files;
}

async function readEach(files: readonly string[] | undefined): Promise<Buffer[] | undefined> {
  return files && Promise.all(files.map(readOne));
}

async function read(file: string | undefined): Promise<Buffer | undefined> {
  return file === undefined ? undefined : readOne(file);
}

async function readOne(file: string): Promise<Buffer> {
  try {
    return await readWhole(file);
  } catch (error) {
    throw fromFile(error as Error, file);
  }
}
