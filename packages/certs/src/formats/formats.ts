/** One thing in another form: PEM or DER, a key with or without a passphrase. */
import type { JsonWebKey } from 'node:crypto';
import { readAllOptions, string, type OptionReaders } from '@knsock/core/options';
import { kindOfDer } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { inspect, type Inspected } from '../inspecting/inspect.js';
import { encryptKey } from '../keys/key-encryption.js';
import { fromCore } from '../files/from-core.js';
import { openPrivateKey, privateKeyPem } from '../keys/keys.js';
import { isPem, readPem, toPem } from '../files/pem.js';

/** How a key is read and written. */
export interface ConvertKeyOptions {
  /** Opens the key where it is encrypted. */
  readonly passphrase?: string | undefined;
  /** Encrypts the result (PBES2: PBKDF2 with 600,000 rounds, AES-256); without it the result is unencrypted. */
  readonly newPassphrase?: string | undefined;
}

const passphraseOption = { passphrase: string<string | undefined> } as const;

/** How each of them is read. */
export const convertKeyOptions = {
  ...passphraseOption,
  newPassphrase: string<string | undefined>,
} as const satisfies OptionReaders<ConvertKeyOptions>;

const labels: Readonly<Record<Exclude<Inspected['type'], 'private-key' | 'unreadable'>, string>> = {
  certificate: 'CERTIFICATE',
  crl: 'X509 CRL',
  request: 'CERTIFICATE REQUEST',
  'public-key': 'PUBLIC KEY',
};

/**
 * The DER of the first block of a PEM text: a certificate, a list, a request or a key.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, where there is none.
 */
export function pemToDer(pem: string | Uint8Array): Buffer {
  const [first] = readPem(pem);
  if (first !== undefined) return fromCore(() => first.der);
  throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'there is no PEM block in that text', {
    offset: 0,
  });
}

/**
 * PEM of any DER: a certificate, a list, a request, a public key, or a private key, which becomes PKCS#8
 * and stays encrypted if it was.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED`, with the offset, for what is none of these.
 */
export async function derToPem(der: Uint8Array): Promise<string> {
  if (kindOfDer(der) === 'encrypted private key') return toPem('ENCRYPTED PRIVATE KEY', der);
  const [found] = isPem(der) ? [] : (await inspect(der)).items;
  if (found === undefined)
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is PEM already', { offset: 0 });
  if (found.type === 'unreadable')
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', found.problem, {
      offset: 0,
      hint: found.hint,
    });
  if (found.type === 'private-key') return privateKeyPem(await openPrivateKey(der, undefined, 'any'));
  return toPem(labels[found.type], der);
}

/**
 * A private key as PKCS#8 PEM; it may come as PKCS#8, PKCS#1 or SEC1, PEM or DER, as JWK, or in OpenSSH's or PuTTY's format.
 * The decryption key is derived off the main thread, up to 8 million rounds.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE`, `_MALFORMED` or `_KEY`.
 */
export async function convertKey(key: string | Uint8Array, options: ConvertKeyOptions = {}): Promise<string> {
  const { passphrase, newPassphrase } = readAllOptions(options, convertKeyOptions);
  const pem = privateKeyPem(await openPrivateKey(key, passphrase));
  if (newPassphrase === undefined) return pem;
  if (newPassphrase === '')
    throw new CertificateError('KNSOCK_CERTIFICATE_PASSPHRASE', 'the new passphrase is empty');
  return encryptKey(pem, newPassphrase);
}

/**
 * A private key as a JSON Web Key (RFC 7517), with the algorithm that TLS would use: the form that `convertKey` reads, and
 * Node's `createPrivateKey` with `format: 'jwk'`.
 * @throws CertificateError as `convertKey`.
 */
export async function keyToJwk(
  key: string | Uint8Array,
  options: Pick<ConvertKeyOptions, 'passphrase'> = {},
): Promise<JsonWebKey> {
  const { passphrase } = readAllOptions(options, passphraseOption);
  return (await openPrivateKey(key, passphrase)).export({ format: 'jwk' });
}
