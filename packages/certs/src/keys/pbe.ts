/** Encryption with a passphrase: PBES2 with PBKDF2 and AES-256. */
import { createCipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { pbeSchema } from './pbe-schema.js';
import { arrayBufferOf, type AlgorithmIdentifier, type Pkcs12Library } from '../x509.js';

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const HMAC_SHA256 = '1.2.840.113549.2.9';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';

/** Encrypts with PBES2: PBKDF2 with HMAC-SHA-256, AES-256-CBC. */
export async function encryptByPassphrase(
  library: Pkcs12Library,
  data: Uint8Array,
  passphrase: string,
  iterations: number,
): Promise<{ algorithm: AlgorithmIdentifier; encrypted: Buffer }> {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const key = await promisify(pbkdf2)(passphrase, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(data), cipher.final()]);
  return { algorithm: describePbes2(library, salt, iv, iterations), encrypted };
}

function describePbes2(
  library: Pkcs12Library,
  salt: Buffer,
  iv: Buffer,
  iterations: number,
): AlgorithmIdentifier {
  const { AlgorithmIdentifier, OctetString } = library;
  const schema = pbeSchema(library);
  const der = (value: unknown) => arrayBufferOf(library.encode(value));
  const derivation = new schema.Pbkdf2Parameters();
  derivation.salt = new OctetString(salt);
  derivation.iterations = iterations;
  derivation.prf = new AlgorithmIdentifier({ algorithm: HMAC_SHA256, parameters: null });
  const parameters = new schema.Pbes2Parameters();
  parameters.keyDerivation = new AlgorithmIdentifier({ algorithm: PBKDF2, parameters: der(derivation) });
  parameters.encryption = new AlgorithmIdentifier({
    algorithm: AES_256_CBC,
    parameters: der(new OctetString(iv)),
  });
  return new AlgorithmIdentifier({ algorithm: PBES2, parameters: der(parameters) });
}
