/** Certificates and lists for our own unit tests, made in a millisecond: P-256, by node:crypto alone. */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { parseCertificate, toPem, type X509Certificate } from '../x509/index.js';

/** A certificate, what it certifies, and how to sign with it. */
export interface MadeCertificate {
  readonly certificate: X509Certificate;
  readonly der: Buffer;
  readonly pem: string;
  readonly key: KeyObject;
  readonly keyPem: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Absent: its own issuer. */
  readonly issuer?: MadeCertificate;
  readonly isAuthority?: boolean;
  /** DNS names. */
  readonly names?: readonly string[];
  readonly usage?: 'server' | 'client';
  /** The key of another certificate; default a new one. */
  readonly key?: MadeCertificate;
  readonly from?: Date;
  readonly to?: Date;
  readonly serial?: number;
}

const DAY = 86_400_000;
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
let lastSerial = 0;

/** Makes a certificate, valid from yesterday until tomorrow where nothing else is said. */
export function makeCertificate(request: CertificateRequest): MadeCertificate {
  const { commonName, issuer, from = new Date(Date.now() - DAY), to = new Date(Date.now() + DAY) } = request;
  const own = request.key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = 'privateKey' in own ? own.privateKey : own.key;
  const publicKey = 'publicKey' in own ? own.publicKey.export({ type: 'spki', format: 'der' }) : spkiOf(own);
  const der = signed(
    issuer?.key ?? key,
    element(0xa0, integer(Buffer.of(2))),
    integer(serialOf(request.serial)),
    ECDSA_SHA256,
    issuer === undefined ? name(commonName) : nameOf(issuer),
    sequence(time(from), time(to)),
    name(commonName),
    publicKey,
    element(0xa3, sequence(...extensions(request))),
  );
  return {
    certificate: parseCertificate(der),
    der,
    pem: toPem('CERTIFICATE', der),
    key,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export interface CrlRequest {
  readonly issuer: MadeCertificate;
  readonly revoked?: readonly MadeCertificate[];
  readonly from?: Date;
  readonly to?: Date;
}

/** Makes a revocation list, DER; valid from yesterday until tomorrow where nothing else is said. */
export function makeCrl(request: CrlRequest): Buffer {
  const {
    issuer,
    revoked = [],
    from = new Date(Date.now() - DAY),
    to = new Date(Date.now() + DAY),
  } = request;
  const entries = revoked.map(({ certificate }) =>
    sequence(integer(Buffer.from(certificate.serialBytes)), time(from)),
  );
  const number = sequence(oid('2.5.29.20'), element(4, integer(Buffer.of(1))));
  return signed(
    issuer.key,
    integer(Buffer.of(1)),
    ECDSA_SHA256,
    nameOf(issuer),
    time(from),
    time(to),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    element(0xa0, sequence(number)),
  );
}

function signed(key: KeyObject, ...parts: Uint8Array[]): Buffer {
  const body = sequence(...parts);
  const signature = sign('sha256', body, key);
  return sequence(body, ECDSA_SHA256, element(3, Buffer.of(0), signature));
}

function extensions({ isAuthority = false, names = [], usage }: CertificateRequest): Buffer[] {
  const made: Buffer[] = [];
  const constraints = isAuthority ? sequence(Buffer.of(1, 1, 0xff)) : sequence();
  made.push(extension('2.5.29.19', constraints, true));
  if (isAuthority) made.push(extension('2.5.29.15', element(3, Buffer.of(1, 0x06)), true));
  if (names.length > 0)
    made.push(extension('2.5.29.17', sequence(...names.map((one) => element(0x82, Buffer.from(one))))));
  if (usage !== undefined)
    made.push(
      extension('2.5.29.37', sequence(oid(usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'))),
    );
  return made;
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [Buffer.of(1, 1, 0xff)] : []), element(4, value));
}

function serialOf(serial: number | undefined): Buffer {
  if (serial !== undefined) return Buffer.of(serial);
  lastSerial += 1;
  return Buffer.concat([Buffer.of(0x11), randomBytes(8), Buffer.of(lastSerial & 0xff)]);
}

function name(commonName: string): Buffer {
  const attribute = sequence(oid('2.5.4.3'), element(12, Buffer.from(commonName)));
  return sequence(element(0x31, attribute));
}

function nameOf({ certificate }: MadeCertificate): Buffer {
  return name(certificate.subject.commonNames[0] ?? '');
}

function spkiOf({ certificate }: MadeCertificate): Uint8Array {
  return certificate.publicKeyInfo.der;
}

function time(at: Date): Buffer {
  return element(
    24,
    Buffer.from(
      at
        .toISOString()
        .replace(/\.\d+Z/, 'Z')
        .replace(/[-:T]/g, ''),
    ),
  );
}

function integer(bytes: Uint8Array): Buffer {
  return element(2, bytes);
}

function sequence(...parts: Uint8Array[]): Buffer {
  return element(0x30, ...parts);
}

function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((part) => {
    const septets = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return element(6, Buffer.from(bytes));
}
