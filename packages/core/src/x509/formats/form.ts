/** In which form a file holds what it holds, in words. */
import { splitPem } from '../pem.js';
import { isPuttyKey, javaKeystoreKind } from './other-kinds.js';
import { kindOfDer } from './der-kind.js';
import { bareBase64, isEscaped, isUtf16, isWrappedPem, textOf } from './text.js';

const containers: readonly (readonly [label: RegExp, form: string])[] = [
  [/^(PKCS7|PKCS #7 SIGNED DATA|CMS)$/, 'PKCS#7 (.p7b)'],
  [/^PKCS12$/, 'PKCS#12 (.p12, .pfx)'],
  [/^OPENSSH PRIVATE KEY$/, 'OpenSSH'],
  [/^TRUSTED CERTIFICATE$/, "with openssl's trust marks (TRUSTED CERTIFICATE)"],
];

/**
 * The form of an input that was read: `PEM`, `DER`, `PKCS#7 (.p7b), PEM in UTF-16`, `base64 without BEGIN and END lines` …
 */
export function formOf(input: string | Uint8Array): string {
  const text = textOf(input);
  if (text === undefined) {
    const keystore = javaKeystoreKind(input as Uint8Array);
    if (keystore !== undefined) return `Java keystore (${keystore})`;
    return [containerOf(input as Uint8Array), 'DER'].filter(isThere).join(', ');
  }
  if (isPuttyKey(text)) return 'PuTTY (.ppk)';
  if (isWrappedPem(input)) return [...containersIn(text), encoded('base64 of PEM', input)].join(', ');
  if (text.includes('-----BEGIN ')) return [...containersIn(text), encoded('PEM', input)].join(', ');
  const der = bareBase64(text);
  if (der !== undefined)
    return [containerOf(der), encoded('base64 without BEGIN and END lines', input)]
      .filter(isThere)
      .join(', ');
  return encoded(text.includes('"kty"') ? 'JSON Web Key (JWK)' : 'text', input);
}

function containersIn(text: string): string[] {
  const labels = splitPem(text).map(({ label }) => label);
  return containers
    .filter(([pattern]) => labels.some((label) => pattern.test(label)))
    .map(([, form]) => form);
}

function containerOf(der: Uint8Array): string | undefined {
  const kind = kindOfDer(der);
  if (kind === 'PKCS#7') return 'PKCS#7 (.p7b)';
  return kind === 'PKCS#12' ? 'PKCS#12 (.p12, .pfx)' : undefined;
}

function encoded(form: string, input: string | Uint8Array): string {
  const wide = isUtf16(input) ? ' in UTF-16' : '';
  return `${form}${wide}${isEscaped(input) ? ' with \\n for line feeds' : ''}`;
}

const isThere = (part: string | undefined): part is string => part !== undefined;
