/** Signs a certificate whose contents are decided already. */
import type { KeyObject } from 'node:crypto';
import { publicKeyInfo } from '../keys/public-key-info.js';
import { serialBytes } from './serial.js';
import { algorithmIdentifier } from '../keys/signature.js';
import type { SigningKey } from '../keys/signer.js';
import { signStructure } from './signed-der.js';
import type { Validity } from './validity.js';
import { arrayBufferOf, type DistinguishedName, type Extension, type X509Library } from '../x509.js';

/** Everything that goes into a certificate. */
export interface CertificateParts {
  /** Lower-case hex without leading zero bytes, as core's `X509Certificate.serial`. */
  readonly serial: string;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Extension[];
}

/** Signs a version 3 certificate (RFC 5280 §4.1) and returns its DER. */
export async function signCertificate(
  library: X509Library,
  parts: CertificateParts,
  issuerKey: SigningKey,
  signal?: AbortSignal,
): Promise<Buffer> {
  const { TBSCertificate, Validity, Extensions, Version } = library;
  const algorithm = algorithmIdentifier(library, issuerKey.algorithm);
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBufferOf(serialBytes(parts.serial)),
    signature: algorithm,
    issuer: parts.issuer,
    validity: new Validity(parts.validity),
    subject: parts.subject,
    subjectPublicKeyInfo: publicKeyInfo(library, parts.publicKey),
    extensions: new Extensions([...parts.extensions]),
  });
  return signStructure(library, tbsCertificate, issuerKey, signal);
}
