/** The few ASN.1 structures of password-based encryption that the library lacks (RFC 8018 appendix A, RFC 5652 §8). */
import type { AlgorithmIdentifier, Pkcs12Library } from '../x509.js';

type OctetString = InstanceType<Pkcs12Library['OctetString']>;
type EncryptedContentInfo = Omit<
  InstanceType<Pkcs12Library['EncryptedContentInfo']>,
  'contentEncryptionAlgorithm'
> & {
  contentEncryptionAlgorithm: AlgorithmIdentifier;
};

/** Classes that the library's encoder and parser understand. */
export interface PbeSchema {
  readonly Pbes2Parameters: new () => { keyDerivation: AlgorithmIdentifier; encryption: AlgorithmIdentifier };
  readonly Pbkdf2Parameters: new () => {
    salt: OctetString;
    iterations: number;
    keyLength?: number;
    prf?: AlgorithmIdentifier;
  };
  readonly EncryptedContent: new () => { version: number; info: EncryptedContentInfo };
}

const schemas = new WeakMap<Pkcs12Library, PbeSchema>();

/** The classes, described to the library once. */
export function pbeSchema(library: Pkcs12Library): PbeSchema {
  const known = schemas.get(library);
  if (known !== undefined) return known;
  const made = define(library);
  schemas.set(library, made);
  return made;
}

function define(library: Pkcs12Library): PbeSchema {
  const { AlgorithmIdentifier, OctetString, EncryptedContentInfo, AsnProp, AsnPropTypes } = library;
  class Pbes2Parameters {
    keyDerivation = new AlgorithmIdentifier();
    encryption = new AlgorithmIdentifier();
  }
  AsnProp({ type: AlgorithmIdentifier })(Pbes2Parameters.prototype, 'keyDerivation');
  AsnProp({ type: AlgorithmIdentifier })(Pbes2Parameters.prototype, 'encryption');

  class Pbkdf2Parameters {
    salt = new OctetString();
    iterations = 0;
    declare keyLength?: number;
    declare prf?: AlgorithmIdentifier;
  }
  AsnProp({ type: OctetString })(Pbkdf2Parameters.prototype, 'salt');
  AsnProp({ type: AsnPropTypes.Integer })(Pbkdf2Parameters.prototype, 'iterations');
  AsnProp({ type: AsnPropTypes.Integer, optional: true })(Pbkdf2Parameters.prototype, 'keyLength');
  AsnProp({ type: AlgorithmIdentifier, optional: true })(Pbkdf2Parameters.prototype, 'prf');

  class EncryptedContent {
    version = 0;
    info = new EncryptedContentInfo();
  }
  AsnProp({ type: AsnPropTypes.Integer })(EncryptedContent.prototype, 'version');
  AsnProp({ type: EncryptedContentInfo })(EncryptedContent.prototype, 'info');
  return { Pbes2Parameters, Pbkdf2Parameters, EncryptedContent };
}
