/** A look into certificates, chains, requests, lists, keys and PKCS#12 files, wherever they come from. */
import type { KeyObject } from 'node:crypto';
import { MalformedDerError } from '@knsock/core/errors';
import { checkOptions, date, string, type OptionReaders } from '@knsock/core/options';
import { openPublicKey, parseCertificate, parseCrl, rsaPublicKeyInfo } from '@knsock/core/x509';
import { readCsr } from '../issuing/csr.js';
import { CertificateError } from '../errors.js';
import {
  certificateFacts,
  crlFacts,
  keyFacts,
  requestFacts,
  type InspectedCertificate,
  type InspectedCrl,
  type InspectedKey,
  type InspectedRequest,
} from './facts.js';
import { isEncryptedDer, readPrivateKey } from '../keys/keys.js';
import { fetchChain, liveReaders, type LiveOptions, type LiveSource } from './live.js';
import { isPem, readPem, type PemBlock } from '../formats/pem.js';
import { fromPkcs12 } from '../pkcs12/pkcs12-reader.js';
import { fileOf, readSource, sourceName, type Source } from '../files/source.js';

/** One thing found. */
export type Inspected = InspectedCertificate | InspectedCrl | InspectedRequest | InspectedKey;

/** Everything found in one place, in its order; plain data. */
export interface Inspection {
  /** The file, or `host:port`. */
  readonly source: string;
  readonly items: readonly Inspected[];
}

/** Options of `inspect`. */
export interface InspectOptions extends LiveOptions {
  /** Opens encrypted keys and PKCS#12 files. */
  readonly passphrase?: string | undefined;
  /** The moment to judge dates at; default now. */
  readonly at?: Date | undefined;
}

const readers: OptionReaders<InspectOptions> = { ...liveReaders, passphrase: string, at: date };

/**
 * Inspects a text, bytes, a file, or what a server shows. Keys give away nothing but their public half.
 * @throws CertificateError `KNSOCK_CERTIFICATE_MALFORMED` with the offset where nothing can be read;
 *   `_PASSPHRASE` for a PKCS#12 file that stays closed; `_UNREACHABLE` for a server.
 */
export async function inspect(
  source: Source | LiveSource,
  options: InspectOptions = {},
): Promise<Inspection> {
  checkOptions(options, readers);
  const at = options.at ?? new Date();
  if (isLive(source)) {
    const chain = await fetchChain(source, options);
    const items = chain.map((der) => certificateFacts(parseCertificate(der), at));
    return { source: `${source.host}:${source.port}`, items };
  }
  const bytes = Buffer.from(await readSource(source));
  const reader = new Reader(source, options.passphrase, at);
  const items = isPem(bytes) ? await reader.pem(bytes.toString('latin1')) : await reader.der(bytes);
  return { source: sourceName(source), items };
}

class Reader {
  readonly #source: Source;
  readonly #passphrase: string | undefined;
  readonly #at: Date;

  constructor(source: Source, passphrase: string | undefined, at: Date) {
    this.#source = source;
    this.#passphrase = passphrase;
    this.#at = at;
  }

  async pem(text: string): Promise<Inspected[]> {
    const items: Inspected[] = [];
    for (const block of readPem(text)) {
      const found = await this.#block(block).catch((error: unknown) => this.#fail(error));
      if (found !== undefined) items.push(found);
    }
    if (items.length === 0)
      this.#fail(
        new CertificateError('KNSOCK_CERTIFICATE_MALFORMED', 'nothing in it is known here', { offset: 0 }),
      );
    return items;
  }

  /** DER doesn't say what it is: each reader is asked, and the one that came furthest tells the offset. */
  async der(bytes: Buffer): Promise<Inspected[]> {
    if (isEncryptedDer(bytes)) return [this.#encryptedKey(bytes)];
    const failures: unknown[] = [];
    const readers = [
      () => certificateFacts(parseCertificate(bytes), this.#at),
      () => crlFacts(parseCrl(bytes)),
      () => keyFacts(derKey(bytes), false),
      async () => requestFacts(await readCsr(bytes)),
    ];
    for (const read of readers) {
      try {
        return [await read()];
      } catch (error) {
        failures.push(error);
      }
    }
    if (looksLikePkcs12(bytes)) return this.#pkcs12(bytes);
    return this.#fail(furthest(failures));
  }

  async #block({ label, der, text }: PemBlock): Promise<Inspected | undefined> {
    if (/CERTIFICATE REQUEST$/.test(label)) return requestFacts(await readCsr(der));
    if (/^(X509 )?CERTIFICATE$/.test(label)) return certificateFacts(parseCertificate(der), this.#at);
    if (/^(X509 )?CRL$/.test(label)) return crlFacts(parseCrl(der));
    if (label.endsWith('PUBLIC KEY')) return keyFacts(publicKeyOf(label, der), false);
    return label.endsWith('PRIVATE KEY') ? this.#privateKey(text) : undefined;
  }

  #privateKey(pem: string): Inspected {
    if (pem.includes('ENCRYPTED')) return this.#encryptedKey(pem);
    return keyFacts(readPrivateKey(pem, this.#passphrase, 'any'), false);
  }

  /** Without its passphrase there is nothing to say of it but that it is one. */
  #encryptedKey(key: string | Buffer): Inspected {
    if (this.#passphrase === undefined)
      return { type: 'private-key', encrypted: true, key: undefined, spkiPin: undefined };
    return keyFacts(readPrivateKey(key, this.#passphrase, 'any'), true);
  }

  async #pkcs12(bytes: Buffer): Promise<Inspected[]> {
    const parts = await fromPkcs12(bytes, this.#passphrase ?? '').catch((error: unknown) =>
      this.#fail(error),
    );
    return [...(await this.pem(parts.key)), ...(await this.pem(parts.chain))];
  }

  #fail(cause: unknown): never {
    const { code, offset } =
      cause instanceof CertificateError
        ? cause
        : { code: 'KNSOCK_CERTIFICATE_MALFORMED' as const, offset: offsetOf(cause) };
    const why =
      cause instanceof Error && (cause instanceof CertificateError || cause instanceof MalformedDerError)
        ? cause.message
        : 'it is not a key';
    throw new CertificateError(code, `${sourceName(this.#source)}: ${why}`, {
      cause,
      offset,
      file: fileOf(this.#source),
    });
  }
}

/** A public key in PEM: SubjectPublicKeyInfo, or PKCS#1, which holds the numbers of an RSA key alone. */
function publicKeyOf(label: string, der: Buffer): KeyObject {
  return openPublicKey(label === 'RSA PUBLIC KEY' ? rsaPublicKeyInfo(der) : der);
}

function isLive(source: Source | LiveSource): source is LiveSource {
  return typeof source === 'object' && 'host' in source;
}

function derKey(der: Buffer) {
  try {
    return readPrivateKey(der, undefined, 'any');
  } catch {
    return openPublicKey(der);
  }
}

/** A PFX starts as a sequence whose first element is the INTEGER 3 (RFC 7292 §4). */
function looksLikePkcs12(bytes: Buffer): boolean {
  return bytes[0] === 0x30 && bytes.subarray(0, 16).includes(Buffer.from([0x02, 0x01, 0x03]));
}

function furthest(failures: readonly unknown[]): unknown {
  return [...failures].sort((a, b) => (offsetOf(b) ?? -1) - (offsetOf(a) ?? -1))[0];
}

function offsetOf(error: unknown): number | undefined {
  return error instanceof MalformedDerError || error instanceof CertificateError ? error.offset : undefined;
}
