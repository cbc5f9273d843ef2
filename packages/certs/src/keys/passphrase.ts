/** Where a passphrase comes from: the program, a file, a named environment variable, or a function that asks for it. */
import { decodeText, wrongKind } from '@knsock/core/options';
import { readBytes } from '../files/atomic-file.js';
import { CertificateError } from '../errors.js';

/** The passphrase itself, a file with it (a final line end is ignored), the name of an environment variable, or a prompt. */
export type PassphraseSource =
  string | { readonly file: string } | { readonly environment: string } | (() => string | Promise<string>);

/** The reader of an option that is one. */
export function passphraseSource(
  option: string,
  value: PassphraseSource | undefined,
): PassphraseSource | undefined {
  if (value === undefined || typeof value === 'string' || typeof value === 'function') return value;
  const { file, environment } = Object(value) as { readonly file?: unknown; readonly environment?: unknown };
  if (typeof file === 'string' || typeof environment === 'string') return value;
  throw wrongKind(option, value, 'text, a function, { file } or { environment }');
}

/** OpenSSL, and so Node, accepts no longer one: a key encrypted with it would be lost. In bytes. */
const LONGEST = 1_024;

/**
 * Fetches the passphrase.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE` if there is none, it is empty or too long.
 */
export async function readPassphrase(source: PassphraseSource): Promise<string> {
  const passphrase = await fetchPassphrase(source);
  if (typeof passphrase !== 'string' || passphrase === '') throw refuse(source, 'is empty or missing');
  const bytes = Buffer.byteLength(passphrase);
  if (bytes > LONGEST) throw refuse(source, `has ${bytes} bytes, over the limit of ${LONGEST}`);
  return passphrase;
}

function refuse(source: PassphraseSource, why: string): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_PASSPHRASE', `${describe(source)} ${why}`);
}

async function fetchPassphrase(source: PassphraseSource): Promise<string | undefined> {
  if (typeof source === 'string') return source;
  if (typeof source === 'function') return source();
  // eslint-disable-next-line no-restricted-properties -- only the variable that the caller named
  if ('environment' in source) return process.env[source.environment];
  return decodeText(await readBytes(source.file)).replace(/\r?\n$/, '');
}

function describe(source: PassphraseSource): string {
  if (typeof source === 'object') {
    return 'environment' in source
      ? `the passphrase variable ${source.environment}`
      : `the passphrase file ${source.file}`;
  }
  return 'the passphrase';
}
