/** Signers: a key in memory, or one elsewhere, such as in an HSM or a key management service. */
import { KeyObject } from 'node:crypto';
import {
  anything,
  callback,
  readAllOptions,
  duration,
  record,
  withDeadline,
  withDefault,
  word,
  type OptionReaders,
} from '@knsock/core/options';
import { InvalidOptionError } from '@knsock/core/errors';
import { describeContent, openPublicKey, publicHalf } from '@knsock/core/x509';
import { CertificateError } from '../errors.js';
import { isPem, readPem } from '../files/pem.js';
import { signalFailed } from '../signal-failed.js';
import { checkStrength, describeKey } from './keys.js';
import {
  algorithmFor,
  fitsKey,
  isSignedBy,
  signatureAlgorithms,
  signDer,
  type SignatureAlgorithm,
} from './signature.js';

/** A key that can't be exported, and a function that signs with it. Every signature is verified before it is used. */
export interface Signer {
  /** PEM, DER (SubjectPublicKeyInfo) or a KeyObject. */
  readonly publicKey: string | Uint8Array | KeyObject;
  /** Default according to the key: SHA-256 for RSA and P-256, SHA-384 for P-384, SHA-512 for P-521; Ed25519. */
  readonly algorithm?: SignatureAlgorithm | undefined;
  /**
   * Signs the bytes of a certificate or list, which it hashes itself. ECDSA signatures are DER (RFC 3279 2.2.3), as openssl
   * makes them. It is called for each certificate, also concurrently.
   */
  sign(tbs: Uint8Array, context: { readonly signal: AbortSignal }): Promise<Uint8Array>;
  /** Timeout for one signature, in ms; default 10,000. */
  readonly timeout?: number | undefined;
}

/** The internal signer of certificates and lists. */
export interface SigningKey {
  readonly publicKey: KeyObject;
  readonly algorithm: SignatureAlgorithm;
  /** @throws CertificateError `KNSOCK_CERTIFICATE_SIGNER`; the reason of `signal` */
  sign(tbs: Buffer, signal: AbortSignal | undefined): Promise<Buffer>;
}

/** A private key in memory. @throws CertificateError `KNSOCK_CERTIFICATE_KEY` for one that can't sign certificates */
export function keyAtHand(key: KeyObject): SigningKey {
  const algorithm = algorithmFor(key);
  return {
    publicKey: publicHalf(key),
    algorithm,
    sign: (tbs) => Promise.resolve(signDer(algorithm, tbs, key)),
  };
}

/** How each of them is read, and its default. */
export const signerOptions = {
  publicKey: anything<Signer['publicKey']>,
  algorithm: word(...signatureAlgorithms),
  sign: callback<Signer['sign']>,
  timeout: withDefault<number>(duration, 10_000),
} as const satisfies OptionReaders<Signer>;

/** For `checkOptions`. */
export function checkSigner(option: string, signer: Signer | undefined): Signer | undefined {
  return record(option, signer);
}

/**
 * A key elsewhere.
 * @throws InvalidOptionError; CertificateError `KNSOCK_CERTIFICATE_KEY` for a key that is too weak or doesn't fit the algorithm
 */
export function keyOf(signer: Signer): SigningKey {
  const { timeout, algorithm: wanted } = readAllOptions(signer, signerOptions);
  if (typeof (signer.sign as unknown) !== 'function')
    throw new InvalidOptionError('signer', 'a signer has a publicKey and a function sign');
  const publicKey = readPublicKey(signer.publicKey);
  checkStrength(publicKey);
  const algorithm = wanted ?? algorithmFor(publicKey);
  if (!fitsKey(algorithm, publicKey))
    throw new InvalidOptionError(
      'algorithm',
      `a key of the kind ${describeKey(publicKey)} doesn't sign with ${algorithm}`,
    );
  const sign = async (tbs: Buffer, signal: AbortSignal | undefined): Promise<Buffer> => {
    const signature = await askSigner(signer, tbs, { timeout, signal });
    if (isSignedBy(algorithm, tbs, publicKey, signature)) return signature;
    const hint =
      publicKey.asymmetricKeyType === 'ec'
        ? 'Is it the same key, and the signature DER? pkcs11-tool makes it so by --signature-format openssl.'
        : 'Is it the same key, and the same algorithm?';
    throw new CertificateError(
      'KNSOCK_CERTIFICATE_SIGNER',
      `the signer's ${signature.length} bytes aren't a signature (${algorithm}) by its public key`,
      { hint },
    );
  };
  return { publicKey, algorithm, sign };
}

async function askSigner(
  signer: Signer,
  tbs: Buffer,
  { timeout: ms, signal }: { timeout: number; signal: AbortSignal | undefined },
): Promise<Buffer> {
  const late = () => failed(`the signer gave no signature within ${ms.toLocaleString('en')} ms`);
  const isAborted = () => signal?.aborted === true;
  try {
    const signature: unknown = await withDeadline({
      ...{ ms, signal, late, signalFailed: signalFailed('a signer') },
      run: (either) => signer.sign(Buffer.from(tbs), { signal: either }),
    });
    if (!(signature instanceof Uint8Array)) throw failed('the signer gave no bytes');
    return Buffer.from(signature);
  } catch (cause) {
    if (isAborted() || cause instanceof CertificateError) throw cause;
    throw failed(`the signer failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function failed(message: string, cause?: unknown): CertificateError {
  return new CertificateError('KNSOCK_CERTIFICATE_SIGNER', message, { cause });
}

function readPublicKey(key: Signer['publicKey']): KeyObject {
  try {
    if (key instanceof KeyObject) return publicHalf(key);
    const bytes = Buffer.from(key);
    const [block] = isPem(bytes) ? readPem(bytes) : [];
    return openPublicKey(block?.der ?? bytes);
  } catch (cause) {
    const found = key instanceof KeyObject ? undefined : describeContent(key, 'public key');
    const why = found === undefined ? '' : `: ${found.what}`;
    const message = `the signer's public key can't be read${why}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_KEY', message, {
      cause,
      ...(found && { hint: found.advice }),
    });
  }
}
