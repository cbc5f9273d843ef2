/** Certificates and keys of a file in any supported format. */
import { readAllOptions, string, type OptionReaders } from '@knsock/core/options';
import {
  bareBase64,
  isKeyStore,
  isPuttyKey,
  kindOfDer,
  parseCertificates,
  pkcs12Certificates,
  pkcs12Pairs,
  splitPem,
  textOf,
  type X509Certificate,
} from '@knsock/core/x509';
import { openPrivateKey, privateKeyPem } from '../keys/keys.js';
import { readPkcs12 } from '../pkcs12/pkcs12-reader.js';
import { fromCore } from '../files/from-core.js';

/** What was found, as PEM. */
export interface FileContents {
  /** For PKCS#12 with keys: the first one's certificate, its issuers, then those of the other keys, then the others. */
  readonly certificates: string;
  /** PKCS#8, unencrypted; undefined if there is none. Of several the first. */
  readonly key: string | undefined;
  /** Each key of a PKCS#12 file with its chain; empty for other files. */
  readonly pairs: readonly FilePair[];
}

/** One key of a PKCS#12 file, as PEM. */
export interface FilePair {
  /** Its friendly name (Java's alias), else its place from 1. */
  readonly name: string;
  /** Its certificate, that one's issuer and so on. */
  readonly chain: string;
  /** PKCS#8, unencrypted. */
  readonly key: string;
}

/** Options of `readContents`. */
export interface ContentsOptions {
  /** Opens encrypted keys and PKCS#12 files. */
  readonly passphrase?: string | undefined;
  /** Friendly name of the key to use, in a PKCS#12 file with several. */
  readonly keyName?: string | undefined;
}

/** How each of them is read. */
const contentsOptions = {
  passphrase: string<string | undefined>,
  keyName: string<string | undefined>,
} as const satisfies OptionReaders<ContentsOptions>;

/**
 * Reads certificates and the private key of a file: PEM, DER, PKCS#7, PKCS#12, Java keystore, JWK, OpenSSH, PuTTY.
 * @throws CertificateError where neither can be read.
 */
export async function readContents(input: Uint8Array, given: ContentsOptions = {}): Promise<FileContents> {
  const options = readAllOptions(given, contentsOptions);
  if (isKeyStore(input)) return fromStore(input, options);
  const text = textOf(input);
  const labels =
    text?.includes('-----BEGIN ') === true ? fromCore(() => splitPem(text)).map(({ label }) => label) : [];
  if (labels.length > 0) {
    const hasKey = labels.some((label) => label.endsWith('PRIVATE KEY'));
    const hasCertificates = !hasKey || labels.some((label) => /CERTIFICATE$|^PKCS ?#?7|^CMS$/.test(label));
    return {
      certificates: hasCertificates ? pemOf(fromCore(() => parseCertificates(input))) : '',
      key: hasKey ? privateKeyPem(await openPrivateKey(input, options.passphrase, 'any')) : undefined,
      pairs: [],
    };
  }
  const der = text === undefined ? input : bareBase64(text);
  const kind = der && kindOfDer(der);
  const isKey = kind?.endsWith('key') === true && kind !== 'public key';
  if (isKey || (text !== undefined && (isPuttyKey(text) || /^\s*\{/.test(text))))
    return {
      certificates: '',
      key: privateKeyPem(await openPrivateKey(input, options.passphrase, 'any')),
      pairs: [],
    };
  return { certificates: pemOf(fromCore(() => parseCertificates(input))), key: undefined, pairs: [] };
}

async function fromStore(input: Uint8Array, { passphrase, keyName }: ContentsOptions): Promise<FileContents> {
  const contents = await readPkcs12(input, passphrase);
  if (contents.keys.length === 0 && keyName === undefined) {
    const certificates = fromCore(() => pkcs12Certificates(contents)).map(({ certificate }) => certificate);
    return { certificates: pemOf(certificates), key: undefined, pairs: [] };
  }
  const { pairs, others } = fromCore(() => pkcs12Pairs(contents, keyName));
  const certificates = pemOf([...new Set([...pairs.flatMap(({ chain }) => chain), ...others])]);
  const made = pairs.map(({ name, chain, key }) => ({ name, chain: pemOf(chain), key: privateKeyPem(key) }));
  return { certificates, key: made[0]?.key, pairs: made };
}

const pemOf = (certificates: readonly X509Certificate[]): string =>
  certificates.map(({ pem }) => pem).join('');
