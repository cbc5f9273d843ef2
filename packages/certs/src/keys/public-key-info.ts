/** A public key as certificates carry it. */
import type { KeyObject } from 'node:crypto';
import { publicKeyDer } from './keys.js';
import type { X509Library } from '../x509.js';

type PublicKeyInfo = InstanceType<X509Library['SubjectPublicKeyInfo']>;

// Exporting a key is the slowest step of making a certificate, and its identifier and its certificate both need it.
const known = new WeakMap<KeyObject, PublicKeyInfo>();

/** SubjectPublicKeyInfo (RFC 5280 §4.1) of a key, private or public. */
export function publicKeyInfo(library: X509Library, key: KeyObject): PublicKeyInfo {
  const info = known.get(key) ?? library.AsnConvert.parse(publicKeyDer(key), library.SubjectPublicKeyInfo);
  known.set(key, info);
  return info;
}
