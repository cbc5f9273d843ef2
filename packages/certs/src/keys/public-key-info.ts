/** A public key in the form used in certificates. */
import type { KeyObject } from 'node:crypto';
import { CertificateError } from '../errors.js';
import { publicKeyDer } from './keys.js';
import type { X509Library } from '../x509.js';

type PublicKeyInfo = InstanceType<X509Library['SubjectPublicKeyInfo']>;

// Exporting a key is the slowest step of making a certificate, and both the identifier and the certificate need it.
const known = new WeakMap<KeyObject, PublicKeyInfo>();

/**
 * SubjectPublicKeyInfo (RFC 5280 §4.1) of a key, private or public, in a form that verifiers read.
 * @throws CertificateError `KNSOCK_CERTIFICATE_KEY` for explicit curve parameters or a compressed point.
 */
export function publicKeyInfo(library: X509Library, key: KeyObject): PublicKeyInfo {
  const found = known.get(key);
  if (found !== undefined) return found;
  const info = library.AsnConvert.parse(publicKeyDer(key), library.SubjectPublicKeyInfo);
  const problem = formProblem(info);
  if (problem !== undefined)
    throw new CertificateError('KNSOCK_CERTIFICATE_KEY', `the key ${problem}`, { hint: NAMED_CURVE });
  known.set(key, info);
  return info;
}

const NAMED_CURVE =
  'Make it on a named curve, its point uncompressed: knsock certs csr does, or openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.';

const EC = '1.2.840.10045.2.1';
const OID_TAG = 0x06;
/** How an uncompressed point begins (SEC 1 §2.3.3). */
const UNCOMPRESSED = 0x04;

/** Why verifiers can't read a key, as the end of a sentence; undefined if they can. */
export function formProblem({ algorithm, subjectPublicKey }: PublicKeyInfo): string | undefined {
  if (algorithm.algorithm !== EC) return undefined;
  const [tag] = new Uint8Array(algorithm.parameters ?? new ArrayBuffer(0));
  if (tag !== OID_TAG) return 'has explicit curve parameters, which RFC 5480 forbids and no verifier accepts';
  const [form] = new Uint8Array(subjectPublicKey);
  return form === UNCOMPRESSED ? undefined : 'has a compressed point, which Go, NSS and others refuse';
}
