import { MalformedDerError } from '@knsock/core/errors';
import {
  bareBase64,
  isPuttyKey,
  kindOfDer,
  objectsIn,
  splitPem,
  textOf,
  type ObjectKind,
} from '@knsock/core/x509';
import { fromCore } from './from-core.js';

/** Objects found beside certificates that have no dates. */
const WITHOUT_DATES = new Set([
  'private key',
  'encrypted private key',
  'PKCS#1 key',
  'SEC1 key',
  'public key',
  'request',
]);
const UNDATED_LABEL = /((PRIVATE|PUBLIC) KEY|CERTIFICATE REQUEST|PARAMETERS)$/;
const PKCS7 = /^(PKCS7|PKCS #7 SIGNED DATA|CMS)$/;

/** The dated objects in a file; `other` if it has only keys, requests and parameters. */
export type DatedKinds = ReadonlySet<'certificate' | 'revocation list'> | 'other';

/**
 * Whether a file holds certificates, lists or both, in any form. Unknown contents count as a certificate, so
 * that reading it reports what is wrong.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` for PEM that isn't whole
 */
export function datedKinds(bytes: Uint8Array): DatedKinds {
  const text = textOf(bytes);
  if (text?.includes('-----BEGIN ') === true) return inPem(text);
  if (text !== undefined && isPuttyKey(text)) return 'other';
  const der = text === undefined ? bytes : bareBase64(text);
  const kind = der && kindOfDer(der);
  if (kind === 'PKCS#7') return inPkcs7(bytes);
  if (kind !== undefined && WITHOUT_DATES.has(kind)) return 'other';
  return new Set([kind === 'revocation list' ? kind : 'certificate']);
}

function inPem(text: string): DatedKinds {
  const blocks = fromCore(() => splitPem(text));
  const found = blocks.flatMap(({ label, text: block }) => {
    if (PKCS7.test(label)) return [...inPkcs7(block)];
    if (/CRL$/.test(label)) return ['revocation list' as const];
    return /CERTIFICATE$/.test(label) ? ['certificate' as const] : [];
  });
  if (found.length > 0) return new Set(found);
  return blocks.some(({ label }) => UNDATED_LABEL.test(label)) ? 'other' : new Set(['certificate']);
}

function inPkcs7(input: string | Uint8Array): Exclude<DatedKinds, 'other'> {
  const found = (['certificate', 'revocation list'] as const).filter((kind) => isIn(input, kind));
  return new Set(found.length > 0 ? found : ['certificate']);
}

function isIn(input: string | Uint8Array, kind: ObjectKind): boolean {
  try {
    return objectsIn(input, kind).length > 0;
  } catch (error) {
    if (error instanceof MalformedDerError) return false;
    throw error;
  }
}
