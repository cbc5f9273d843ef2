/** Certificate signing requests (PKCS#10, RFC 2986): made here or elsewhere; contents are untrusted. */
import type { KeyObject } from 'node:crypto';
import { InvalidOptionError, MalformedDerError } from '@knsock/core/errors';
import { readAllOptions, type OptionReaders } from '@knsock/core/options';
import { openPublicKey, signedParts, type Signed } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import {
  extendedKeyUsage,
  leafKeyUsage,
  subjectAlternativeName,
  type CertificateKind,
} from './extensions.js';
import type { CertificateName } from './names.js';
import { leafKey, leafNames, selfSignedOptions, type LeafOptions } from './issue.js';
import { describeKey, privateKeyPem } from '../keys/keys.js';
import { derOf, toPem } from '../files/pem.js';
import { formProblem, publicKeyInfo } from '../keys/public-key-info.js';
import { verifyDer } from '../keys/signature.js';
import { otherNameText } from './other-names.js';
import { keyAtHand } from '../keys/signer.js';
import { signStructure } from './signed-der.js';
import { buildSubject, defaultSubject, readSubject, type Subject } from './subject.js';
import { arrayBufferOf, x509Library, type Extension, type GeneralName, type X509Library } from '../x509.js';

/** Options of `createCsr`; days and CRL location are the authority's to decide. */
export interface CsrOptions extends Omit<LeafOptions, 'days' | 'maxDays' | 'crlUrls'> {
  /** The requested use; default `server`. */
  readonly kind?: CertificateKind | undefined;
}

const { days: _days, maxDays: _maxDays, crlUrls: _crlUrls, ...ofRequests } = selfSignedOptions;

/** How each of them is read, and its default. */
export const csrOptions = ofRequests satisfies OptionReaders<CsrOptions>;

/** The contents of a request, all untrusted. */
export interface CsrInfo {
  /** The requested subject. */
  readonly subject: Subject;
  /** Names as text; those of other kinds are in `otherNames`. */
  readonly names: readonly string[];
  /** Names of kinds that aren't issued here, as readable text: a user principal name, a directory name … */
  readonly otherNames: readonly string[];
  /** Whether it asks for the right to sign certificates itself. */
  readonly ca: boolean;
  /** Every requested extension, by identifier. */
  readonly extensions: readonly { readonly oid: string; readonly critical: boolean }[];
  /** "P-256", "RSA 2,048 bits" … */
  readonly keyDescription: string;
  /** The key to be certified. */
  readonly publicKey: KeyObject;
  /** Whether the request is signed by its own key: the requester has the private key, and the request is unchanged. */
  readonly signatureValid: boolean;
}

type CertificationRequest = InstanceType<X509Library['CertificationRequest']>;

/**
 * Makes a request and its key; both PEM.
 * @throws CertificateError for names, subject fields or keys that can't be used.
 */
export async function createCsr(options: CsrOptions): Promise<{ csr: string; key: string }> {
  const read = readAllOptions(options, csrOptions);
  const library = await x509Library();
  const { kind } = read;
  const names = leafNames(kind, read);
  const key = await leafKey(read);
  const subject = defaultSubject(read, names);
  return {
    csr: toPem('CERTIFICATE REQUEST', await signRequest(library, { kind, names, subject, key })),
    key: privateKeyPem(key),
  };
}

/** What a request asks for. */
export interface RequestContents {
  readonly kind: CertificateKind;
  readonly names: readonly CertificateName[];
  readonly subject: Subject;
  readonly key: KeyObject;
}

/** Makes a request of contents that are decided; DER. */
export async function signRequest(
  library: X509Library,
  { kind, names, subject, key }: RequestContents,
): Promise<Buffer> {
  const wanted = [
    leafKeyUsage(library, kind, key),
    extendedKeyUsage(library, kind),
    ...(names.length > 0 ? [subjectAlternativeName(library, names, false)] : []),
  ];
  const info = new library.CertificationRequestInfo({
    subject: buildSubject(library, subject),
    subjectPKInfo: publicKeyInfo(library, key),
    attributes: new library.Attributes([extensionRequest(library, wanted)]),
  });
  return signStructure(library, info, keyAtHand(key));
}

/**
 * Reads a request, PEM or DER, and checks its signature.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` or `_KEY`.
 */
export async function readCsr(input: string | Uint8Array): Promise<CsrInfo> {
  const library = await x509Library();
  const der = derOf(input, 'request');
  try {
    const facts = factsOf(
      library,
      signedParts(der, 'request'),
      library.AsnConvert.parse(der, library.CertificationRequest),
    );
    readHere.add(facts);
    return facts;
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause;
    throw new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'that is not a certificate signing request', {
      cause,
    });
  }
}

/** The facts that requests were read into here, unchanged since: as good as the requests themselves. */
const readHere = new WeakSet<object>();

/**
 * A request's facts, read unless they were.
 * @throws CertificateError as `readCsr`; InvalidOptionError for facts that `readCsr` didn't return
 */
export async function csrFacts(request: string | Uint8Array | CsrInfo): Promise<CsrInfo> {
  if (typeof request === 'string' || request instanceof Uint8Array) return readCsr(request);
  if (readHere.has(request)) return request;
  throw new InvalidOptionError('csr', 'a request is PEM, DER, or what readCsr returned, as it returned it');
}

/** @param signed what was received: the signature is over its bytes, however they are encoded */
function factsOf(
  library: X509Library,
  { tbs, signatureAlgorithm, signature }: Signed,
  { certificationRequestInfo: info }: CertificationRequest,
): CsrInfo {
  const publicKey = requestedKey(library.encode(info.subjectPKInfo));
  const problem = formProblem(info.subjectPKInfo);
  const extensions = requestedExtensions(library, info);
  const names = requestedNames(library, extensions);
  return Object.freeze({
    subject: Object.freeze(readSubject(info.subject)),
    names: Object.freeze(names.flatMap((name) => nameText(name) ?? [])),
    otherNames: Object.freeze(names.filter((name) => nameText(name) === undefined).map(otherNameText)),
    ca: wantsAuthority(library, extensions),
    extensions: Object.freeze(extensions.map(({ extnID, critical }) => ({ oid: extnID, critical }))),
    keyDescription: describeKey(publicKey) + (problem === undefined ? '' : ` (${problem})`),
    publicKey,
    signatureValid: verifyDer(signatureAlgorithm.oid, tbs, publicKey, signature),
  });
}

function requestedKey(spki: Buffer): KeyObject {
  try {
    return openPublicKey(spki);
  } catch (cause) {
    if (!(cause instanceof MalformedDerError)) throw cause;
    const message = `the public key of the request can't be used: ${cause.message}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_KEY', message, { cause });
  }
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';

function extensionRequest(library: X509Library, extensions: Extension[]) {
  const value = arrayBufferOf(library.encode(new library.Extensions(extensions)));
  return new library.Attribute({ type: EXTENSION_REQUEST, values: [value] });
}

function requestedExtensions(
  library: X509Library,
  info: CertificationRequest['certificationRequestInfo'],
): Extension[] {
  // The schema requires attributes; real requests omit them.
  const attributes: InstanceType<X509Library['Attributes']> | undefined = info.attributes;
  const value = attributes?.find(({ type }) => type === EXTENSION_REQUEST)?.values[0];
  return value === undefined ? [] : [...library.AsnConvert.parse(value, library.Extensions)];
}

function requestedNames(library: X509Library, extensions: Extension[]): GeneralName[] {
  const found = extensions.find(({ extnID }) => extnID === library.id_ce_subjectAltName);
  if (found === undefined) return [];
  return [...library.AsnConvert.parse(found.extnValue.buffer, library.SubjectAlternativeName)];
}

function wantsAuthority(library: X509Library, extensions: Extension[]): boolean {
  const found = extensions.find(({ extnID }) => extnID === library.id_ce_basicConstraints);
  return found !== undefined && library.AsnConvert.parse(found.extnValue.buffer, library.BasicConstraints).cA;
}

function nameText(name: GeneralName): string | undefined {
  return name.dNSName ?? name.iPAddress ?? name.uniformResourceIdentifier ?? name.rfc822Name;
}
