/** Certificates and keys of a file in any supported format. */
import {
  arrangePkcs12,
  bareBase64,
  isPuttyKey,
  javaKeystoreKind,
  kindOfDer,
  parseCertificates,
  pkcs12Certificates,
  splitPem,
  textOf,
  type X509Certificate,
} from '@knsock/core/x509';
import { openPrivateKey, privateKeyPem } from '../keys/keys.js';
import { readPkcs12 } from '../pkcs12/pkcs12-reader.js';
import { fromCore } from '../files/from-core.js';

/** What was found, as PEM. */
export interface FileContents {
  /** For PKCS#12 with a key: its certificate first, then its issuers, then the others. */
  readonly certificates: string;
  /** PKCS#8, unencrypted; undefined if there is none. */
  readonly key: string | undefined;
}

/** Options of `readContents`. */
export interface ContentsOptions {
  /** Opens encrypted keys and PKCS#12 files. */
  readonly passphrase?: string | undefined;
  /** Friendly name of the key to use, in a PKCS#12 file with several. */
  readonly keyName?: string | undefined;
}

/**
 * Reads certificates and the private key of a file: PEM, DER, PKCS#7, PKCS#12, Java keystore, JWK, OpenSSH, PuTTY.
 * @throws CertificateError where neither can be read.
 */
export async function readContents(input: Uint8Array, options: ContentsOptions = {}): Promise<FileContents> {
  const text = textOf(input);
  const labels =
    text?.includes('-----BEGIN ') === true ? fromCore(() => splitPem(text)).map(({ label }) => label) : [];
  if (labels.length > 0) {
    const hasKey = labels.some((label) => label.endsWith('PRIVATE KEY'));
    const hasCertificates = !hasKey || labels.some((label) => /CERTIFICATE$|^PKCS ?#?7|^CMS$/.test(label));
    return {
      certificates: hasCertificates ? pemOf(fromCore(() => parseCertificates(input))) : '',
      key: hasKey ? privateKeyPem(await openPrivateKey(input, options.passphrase, 'any')) : undefined,
    };
  }
  const der = text === undefined ? input : bareBase64(text);
  const kind = der && kindOfDer(der);
  if (kind === 'PKCS#12' || javaKeystoreKind(input) !== undefined) return fromStore(input, options);
  const isKey = kind?.endsWith('key') === true && kind !== 'public key';
  if (isKey || (text !== undefined && (isPuttyKey(text) || /^\s*\{/.test(text))))
    return { certificates: '', key: privateKeyPem(await openPrivateKey(input, options.passphrase, 'any')) };
  return { certificates: pemOf(fromCore(() => parseCertificates(input))), key: undefined };
}

async function fromStore(input: Uint8Array, { passphrase, keyName }: ContentsOptions): Promise<FileContents> {
  const contents = await readPkcs12(input, passphrase);
  if (contents.keys.length === 0 && keyName === undefined) {
    const certificates = fromCore(() => pkcs12Certificates(contents)).map(({ certificate }) => certificate);
    return { certificates: pemOf(certificates), key: undefined };
  }
  const { chain, key, others } = fromCore(() => arrangePkcs12(contents, keyName));
  return { certificates: pemOf([...chain, ...others]), key: privateKeyPem(key) };
}

const pemOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map(({ pem }) => pem).join('');
