/** Encryption by passphrase: PBES2 with AES-256 to write; PBES2 and the old algorithms of PKCS#12 to read. */
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { DerivationBudget } from './derivation-budget.js';
import { CertificateError } from '../errors.js';
import { pbeSchema } from './pbe-schema.js';
import { KDF_IV, KDF_KEY, pkcs12Key } from './pkcs12-kdf.js';
import { decryptRc2 } from './rc2.js';
import { arrayBufferOf, type AlgorithmIdentifier, type Pkcs12Library } from '../x509.js';

const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const HMAC_SHA256 = '1.2.840.113549.2.9';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';

const pseudoRandom: Record<string, string> = {
  '1.2.840.113549.2.7': 'sha1',
  [HMAC_SHA256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
const ciphers: Record<string, { readonly name: string; readonly keyBytes: number }> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  [AES_256_CBC]: { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};
const legacyCiphers: Record<string, { readonly cipher: '3des' | 'rc2'; readonly keyBytes: number }> = {
  '1.2.840.113549.1.12.1.3': { cipher: '3des', keyBytes: 24 },
  '1.2.840.113549.1.12.1.5': { cipher: 'rc2', keyBytes: 16 },
  '1.2.840.113549.1.12.1.6': { cipher: 'rc2', keyBytes: 5 },
};

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

/**
 * Decrypts whatever the algorithm says.
 * @throws CertificateError `KNSOCK_CERTIFICATE_PASSPHRASE` or `KNSOCK_CERTIFICATE_UNSUPPORTED`.
 */
export async function decryptByPassphrase(
  library: Pkcs12Library,
  algorithm: AlgorithmIdentifier,
  encrypted: Uint8Array,
  passphrase: string,
  budget: DerivationBudget,
): Promise<Buffer> {
  const { parameters } = algorithm;
  if (parameters === undefined || parameters === null) throw unsupported(algorithm.algorithm);
  const plain =
    algorithm.algorithm === PBES2
      ? await decryptPbes2(library, parameters, encrypted, passphrase, budget)
      : await decryptLegacy(library, algorithm, parameters, encrypted, passphrase, budget);
  if (plain === undefined)
    throw new CertificateError('KNSOCK_CERTIFICATE_PASSPHRASE', 'the passphrase doesn’t open it');
  return plain;
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

async function decryptPbes2(
  library: Pkcs12Library,
  parameters: ArrayBuffer,
  encrypted: Uint8Array,
  passphrase: string,
  budget: DerivationBudget,
) {
  const schema = pbeSchema(library);
  const { keyDerivation, encryption } = library.AsnConvert.parse(parameters, schema.Pbes2Parameters);
  const cipher = ciphers[encryption.algorithm];
  if (cipher === undefined) throw unsupported(encryption.algorithm);
  if (keyDerivation.algorithm !== PBKDF2) throw unsupported(keyDerivation.algorithm);
  const derivation = library.AsnConvert.parse(
    keyDerivation.parameters ?? new ArrayBuffer(0),
    schema.Pbkdf2Parameters,
  );
  // RFC 8018 appendix A.2: without a name it is HMAC-SHA-1.
  const hash = derivation.prf === undefined ? 'sha1' : pseudoRandom[derivation.prf.algorithm];
  if (hash === undefined) throw unsupported(derivation.prf?.algorithm ?? '');
  const salt = Buffer.from(derivation.salt.buffer);
  const key = await promisify(pbkdf2)(
    passphrase,
    salt,
    budget.spend(derivation.iterations),
    cipher.keyBytes,
    hash,
  );
  const iv = library.AsnConvert.parse(encryption.parameters ?? new ArrayBuffer(0), library.OctetString);
  return decryptBlocks(cipher.name, key, Buffer.from(iv.buffer), encrypted);
}

async function decryptLegacy(
  library: Pkcs12Library,
  { algorithm: oid }: AlgorithmIdentifier,
  parameters: ArrayBuffer,
  encrypted: Uint8Array,
  passphrase: string,
  budget: DerivationBudget,
): Promise<Buffer | undefined> {
  const legacy = legacyCiphers[oid];
  if (legacy === undefined) throw unsupported(oid);
  const parsed = library.AsnConvert.parse(parameters, pbeSchema(library).Pkcs12Parameters);
  // Key and initialisation vector, up to two blocks and one.
  const [salt, { iterations }] = [Buffer.from(parsed.salt.buffer), parsed];
  budget.spend(3 * iterations);
  const key = await pkcs12Key('sha1', KDF_KEY, passphrase, salt, iterations, legacy.keyBytes);
  const iv = await pkcs12Key('sha1', KDF_IV, passphrase, salt, iterations, 8);
  if (legacy.cipher === '3des') return decryptBlocks('des-ede3-cbc', key, iv, encrypted);
  return decryptRc2(key, legacy.keyBytes * 8, iv, encrypted);
}

/** A wrong key shows as wrong padding. */
function decryptBlocks(cipher: string, key: Buffer, iv: Buffer, encrypted: Uint8Array): Buffer | undefined {
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  } catch {
    return undefined;
  }
}

function unsupported(oid: string): CertificateError {
  return new CertificateError(
    'KNSOCK_CERTIFICATE_UNSUPPORTED',
    `it is encrypted with the algorithm ${oid}, which isn't read here`,
  );
}
