/** The certificates, lists or requests of a file, in whatever form it holds them. */
import { MalformedDerError } from '../../errors/malformed-der.js';
import { splitPem, type PemBlock } from '../pem.js';
import { kindOfDer } from './der-kind.js';
import { describeContent, type Wanted } from './describe.js';
import { withoutPadding } from './padding.js';
import { readPkcs7 } from './pkcs7.js';
import { subjectOf } from './subject-hint.js';
import { bareBase64, textOf } from './text.js';
import { readMarked, type TrustMarks } from './trusted.js';

/** Something that stands in a file as DER. */
export interface FileObject {
  /** Its bytes. */
  readonly der: Buffer;
  /** Its place among several, for errors: `certificate 31 of 61 (line 1,201)`. */
  readonly place: string | undefined;
  /** For which purposes openssl is to trust it, where its block says so. */
  readonly marks?: TrustMarks | undefined;
}

/** What each kind is called in PEM; the first is what RFC 7468 calls it. */
const labels: Readonly<
  Record<Exclude<Wanted, 'private key' | 'public key' | 'PKCS#12 file'>, readonly string[]>
> = {
  certificate: ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'],
  'revocation list': ['X509 CRL', 'CRL'],
  request: ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'],
};
const PKCS7 = /^(PKCS7|PKCS #7 SIGNED DATA|CMS)$/;

/** What `objectsIn` looks for. */
export type ObjectKind = keyof typeof labels;

/**
 * Every object of a kind in an input: PEM, DER, base64 alone, UTF-16 of either, or PKCS#7.
 * @throws MalformedDerError where there is none, saying what is there instead
 */
export function objectsIn(input: string | Uint8Array, kind: ObjectKind): FileObject[] {
  if (typeof input !== 'string' && !(input instanceof Uint8Array)) {
    throw new MalformedDerError(0, `expected PEM text or bytes, not ${typeof input}`);
  }
  const text = textOf(input);
  if (text?.includes('-----BEGIN ') === true) return inBlocks(splitPem(text), kind, input);
  const der = text === undefined ? Buffer.from(input as Uint8Array) : bareBase64(text);
  if (der?.[0] !== 0x30) throw absent(kind, input);
  const whole = withoutPadding(der);
  const carried = readPkcs7(whole);
  if (carried === undefined) {
    const found = kindOfDer(whole);
    if (found !== undefined && found !== kind) throw absent(kind, input);
    return [{ der: whole, place: undefined }];
  }
  return placed(fromPkcs7(carried, kind, input), kind);
}

/** The one object of an input; as `objectsIn`, but more than one is refused. */
export function objectIn(input: string | Uint8Array, kind: ObjectKind): FileObject {
  const objects = objectsIn(input, kind);
  if (objects.length > 1)
    throw new MalformedDerError(0, `there are ${objects.length} ${kind}s instead of one`);
  return objects[0] as FileObject;
}

/** Whether an input is PKCS#7, whose certificates stand in no order that says anything. */
export function isPkcs7(input: string | Uint8Array): boolean {
  const text = textOf(input);
  if (text?.includes('-----BEGIN ') === true) return /-----BEGIN (PKCS ?#?7|CMS)/.test(text);
  const der = text === undefined ? (input as Uint8Array) : bareBase64(text);
  return der !== undefined && kindOfDer(der) === 'PKCS#7';
}

/**
 * Reads one object, and says which of several it is where that fails.
 * @throws MalformedDerError
 */
export function reading<T>({ der, place }: FileObject, read: (der: Buffer) => T): T {
  try {
    return read(der);
  } catch (error) {
    if (place === undefined || !(error instanceof MalformedDerError)) throw error;
    const subject = subjectOf(der);
    throw error.within(subject === undefined ? place : `${place}, ${subject}`);
  }
}

function inBlocks(blocks: readonly PemBlock[], kind: ObjectKind, input: string | Uint8Array): FileObject[] {
  const wanted = blocks.filter(({ label }) => labels[kind].includes(label));
  const bundles = blocks.filter(({ label }) => PKCS7.test(label));
  const found = wanted.map((block, index): FileObject => {
    const place =
      blocks.length === 1
        ? undefined
        : `${kind} ${index + 1} of ${wanted.length} (line ${block.line.toLocaleString('en')})`;
    return { ...within(place, () => readMarked(block, block.der)), place };
  });
  const carried = bundles.flatMap((block) => fromPkcs7(readPkcs7(block.der) ?? [], kind, input));
  if (found.length + carried.length === 0) throw absent(kind, input);
  return [...found, ...placed(carried, kind)];
}

function within<T>(place: string | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw place !== undefined && error instanceof MalformedDerError ? error.within(place) : error;
  }
}

function placed(ders: readonly Buffer[], kind: ObjectKind): FileObject[] {
  return ders.map((der, index) => ({ der, place: `${kind} ${index + 1} of ${ders.length}` }));
}

function fromPkcs7(
  carried: readonly { readonly kind: ObjectKind; readonly der: Buffer }[],
  kind: ObjectKind,
  input: string | Uint8Array,
): Buffer[] {
  const ders = carried.flatMap((one) => (one.kind === kind ? [one.der] : []));
  if (ders.length === 0) throw absent(kind, input);
  return ders;
}

function absent(kind: ObjectKind, input: string | Uint8Array): MalformedDerError {
  const { what, advice } = describeContent(input, kind);
  return new MalformedDerError(0, what, { hint: advice, whole: true });
}
