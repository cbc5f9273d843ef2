/** Credentials from files. */
import { readFile } from 'node:fs/promises';
import { InvalidOptionError } from '../errors/index.js';
import { fromFile } from '../errors/from-node.js';
import { checkCredentials, type Credentials } from './credentials.js';

/** Which files hold the credentials; paths are seen from the working folder. */
export interface CredentialFiles {
  /** PEM: the certificate, then those that lead to the CA. */
  certFile?: string | undefined;
  /** PEM. */
  keyFile?: string | undefined;
  /** PEM: whom to trust. */
  caFile?: string | undefined;
  /** PEM (any number of lists) or DER. */
  crlFile?: string | undefined;
  /** PKCS#12, instead of `certFile` and `keyFile`. */
  pfxFile?: string | undefined;
  passphrase?: string | undefined;
}

const known = new Set(['certFile', 'keyFile', 'caFile', 'crlFile', 'pfxFile', 'passphrase']);

/**
 * Reads and checks credentials.
 * @throws CredentialsError naming the file and what is wrong with it
 */
export async function loadCredentials(files: CredentialFiles): Promise<Credentials> {
  refuseUnknownFiles(files);
  const [cert, key, ca, crl, pfx] = await Promise.all([
    read(files.certFile),
    read(files.keyFile),
    read(files.caFile),
    read(files.crlFile),
    read(files.pfxFile),
  ]);
  const origins = {
    ...(files.certFile !== undefined && { cert: files.certFile }),
    ...(files.keyFile !== undefined && { key: files.keyFile }),
    ...(files.caFile !== undefined && { ca: files.caFile }),
    ...(files.crlFile !== undefined && { crl: files.crlFile }),
    ...(files.pfxFile !== undefined && { pfx: files.pfxFile }),
  };
  return checkCredentials({ cert, key, ca, crl, pfx, passphrase: files.passphrase }, origins);
}

function refuseUnknownFiles(files: CredentialFiles): void {
  for (const option of Object.keys(files)) {
    if (!known.has(option)) throw new InvalidOptionError(option, `loadCredentials has no option ${option}`);
  }
}

async function read(file: string | undefined): Promise<Buffer | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file);
  } catch (error) {
    throw fromFile(error as Error, file);
  }
}
