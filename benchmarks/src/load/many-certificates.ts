/**
 * Clients of which each has a certificate of its own: one is issued, and the others are the same with another serial number,
 * signed anew, which costs a fiftieth of issuing them.
 */
import { createPrivateKey, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import type { Certificates } from '../certificates.js';
import { clientContext, clientOptions } from '../tls-setup.js';

export interface ManyCertificatesOptions {
  readonly files: Certificates;
  readonly port: number;
  readonly count: number;
  /** How many came before: each connection has a source address of its own too. */
  readonly from: number;
}

const AT_ONCE = 8;

export async function manyCertificates({
  files,
  port,
  count,
  from,
}: ManyCertificatesOptions): Promise<object> {
  const template = new Template(
    readFileSync(files.clientCertificate, 'utf8'),
    readFileSync(files.caKey, 'utf8'),
  );
  const base = clientContext(files, true);
  let next = from;
  const caller = async (): Promise<void> => {
    while (next < from + count) {
      const index = next++;
      const secureContext = tls.createSecureContext({ ...base, cert: template.another() });
      await visit({
        ...clientOptions(port),
        secureContext,
        localAddress: addressOf(index),
      } as tls.ConnectionOptions);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return {};
}

/** The loopback network has 16 million addresses. */
function addressOf(index: number): string {
  return `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function visit(options: tls.ConnectionOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect(options);
    socket.on('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** A certificate whose serial number is replaced by another of the same length. */
class Template {
  readonly #signed: Buffer;
  readonly #algorithm: Buffer;
  readonly #serialAt: number;
  readonly #serialLength: number;
  readonly #first: number;
  readonly #key: KeyObject;

  constructor(pem: string, caKey: string) {
    const certificate = new X509Certificate(pem);
    const [signed, algorithm] = elements(contents(certificate.raw));
    if (signed === undefined || algorithm === undefined) throw new Error('a certificate has three parts');
    const serial = Buffer.from(certificate.serialNumber, 'hex');
    this.#signed = Buffer.from(signed);
    this.#algorithm = algorithm;
    this.#serialAt = signed.indexOf(serial);
    this.#serialLength = serial.length;
    this.#first = (serial[0] ?? 0) >= 0x80 ? 0x80 : 0x40;
    this.#key = createPrivateKey(caKey);
  }

  /** PEM. */
  another(): string {
    const serial = randomBytes(this.#serialLength);
    // As many bytes in DER, which begins with a zero where the highest bit is set.
    serial[0] = this.#first | ((serial[0] ?? 0) & 0x3f);
    serial.copy(this.#signed, this.#serialAt);
    const signature = sign('sha256', this.#signed, this.#key);
    const bits = tagged(0x03, Buffer.concat([Buffer.of(0), signature]));
    const der = tagged(0x30, Buffer.concat([this.#signed, this.#algorithm, bits]));
    return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
  }
}

/** The whole length of a DER element, and where its contents begin. */
function measure(der: Buffer): { length: number; from: number } {
  const first = der[1] ?? 0;
  if (first < 0x80) return { length: 2 + first, from: 2 };
  const bytes = first & 0x7f;
  return { length: 2 + bytes + der.readUIntBE(2, bytes), from: 2 + bytes };
}

function contents(der: Buffer): Buffer {
  const { length, from } = measure(der);
  return der.subarray(from, length);
}

function elements(der: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < der.length;) {
    const { length } = measure(der.subarray(at));
    found.push(der.subarray(at, at + length));
    at += length;
  }
  return found;
}

function tagged(tag: number, value: Buffer): Buffer {
  const { length } = value;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), value]);
}
