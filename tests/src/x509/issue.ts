import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import {
  parseCertificate,
  parseCrl,
  type CertificateRevocationList,
  type X509Certificate,
} from '@knsock/core/x509';

/**
 * Makes certificates and CRLs byte by byte, proper ones and such as no tool would make; independent of the reader
 * under test and of the certificate library.
 */

export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const size = Buffer.from(
    length.toString(16).padStart(length < 0x100 ? 2 : length < 0x10000 ? 4 : 6, '0'),
    'hex',
  );
  return Buffer.concat([Buffer.of(tag, 0x80 | size.length), size, content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.of(value ? 0xff : 0));
export const octets = (bytes: Uint8Array): Buffer => tlv(0x04, bytes);
const ia5 = (tag: number, text: string): Buffer => tlv(tag, Buffer.from(text, 'latin1'));

export function integer(value: number | bigint, tag = 0x02): Buffer {
  let hex = BigInt(value).toString(16);
  if (hex.length % 2) hex = `0${hex}`;
  return tlv(tag, Buffer.from(parseInt(hex.slice(0, 2), 16) >= 0x80 ? `00${hex}` : hex, 'hex'));
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

export function time(date: Date | string): Buffer {
  const text = `${new Date(date).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
  return Number(text.slice(0, 4)) < 2050 ? ia5(0x17, text.slice(2)) : ia5(0x18, text);
}

const attributes = {
  C: '2.5.4.6',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
  emailAddress: '1.2.840.113549.1.9.1',
};

/** A distinguished name from `O=Acme/CN=example`; '' is the empty one. */
export function name(text: string): Buffer {
  const parts =
    text === '' ? [] : text.split('/').map((part) => part.split('=') as [keyof typeof attributes, string]);
  const one = ([type, value]: [keyof typeof attributes, string]): Buffer =>
    tlv(
      0x31,
      sequence(
        oid(attributes[type]),
        type === 'emailAddress' ? ia5(0x16, value) : tlv(0x0c, Buffer.from(value)),
      ),
    );
  return sequence(...parts.map(one));
}

// Extensions

export const extension = (id: string, value: Uint8Array, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));

export const basicConstraints = (ca: boolean, pathLength?: number, critical = true): Buffer =>
  extension(
    '2.5.29.19',
    sequence(...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])),
    critical,
  );

/** Bits by number: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign. */
export function keyUsage(...bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension('2.5.29.15', tlv(0x03, Buffer.of(7 - Math.max(...bits), byte)), true);
}

export const purposes = {
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
  code: '1.3.6.1.5.5.7.3.3',
};
export const extendedKeyUsage = (...uses: readonly (keyof typeof purposes)[]): Buffer =>
  extension('2.5.29.37', sequence(...uses.map((use) => oid(purposes[use]))));

/** General names: `DNS:…`, `email:…`, `URI:…`, `IP:hex`, `dir:O=…`, `other:…`. */
export function generalName(text: string): Buffer {
  const kind = text.slice(0, text.indexOf(':'));
  const value = text.slice(kind.length + 1);
  switch (kind) {
    case 'email':
      return ia5(0x81, value);
    case 'DNS':
      return ia5(0x82, value);
    case 'dir':
      return tlv(0xa4, name(value));
    case 'URI':
      return ia5(0x86, value);
    case 'IP':
      return tlv(0x87, Buffer.from(value, 'hex'));
    default:
      return tlv(0xa0, oid('1.3.6.1.4.1.311.20.2.3'), tlv(0xa0, tlv(0x0c, Buffer.from(value))));
  }
}

export const subjectAltName = (...names: readonly string[]): Buffer =>
  extension('2.5.29.17', sequence(...names.map(generalName)));

export function nameConstraints(limits: {
  permitted?: readonly string[];
  excluded?: readonly string[];
}): Buffer {
  const subtrees = (tag: number, names?: readonly string[]): Buffer[] =>
    names ? [tlv(tag, ...names.map((text) => sequence(generalName(text))))] : [];
  return extension(
    '2.5.29.30',
    sequence(...subtrees(0xa0, limits.permitted), ...subtrees(0xa1, limits.excluded)),
    true,
  );
}

export const subjectKeyIdentifier = (key: Buffer): Buffer => extension('2.5.29.14', octets(key));
export const authorityKeyIdentifier = (key: Buffer): Buffer =>
  extension('2.5.29.35', sequence(tlv(0x80, key)));

// Certificates

export interface Made {
  readonly certificate: X509Certificate;
  readonly der: Buffer;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface Wish {
  readonly subject: string;
  /** Default: self-issued. */
  readonly issuer?: Made;
  /** Whose key to have; default: a new one. */
  readonly keyOf?: Pick<Made, 'publicKey' | 'privateKey'>;
  readonly serial?: number | bigint;
  readonly version?: 1 | 2 | 3;
  readonly notBefore?: Date | string;
  readonly notAfter?: Date | string;
  readonly extensions?: readonly Buffer[];
  /** The AlgorithmIdentifier of the signature; default: ECDSA with SHA-256, by which it is made. */
  readonly algorithm?: Buffer;
  /** The digest of the signature; default SHA-256, as of the usual algorithm. */
  readonly digest?: string;
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** All certificates made here are valid at this time, unless they wish otherwise. */
export const now = new Date('2026-01-01T00:00:00Z');

export function issue(wish: Wish): Made {
  const { publicKey, privateKey } = wish.keyOf ?? generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = wish.issuer?.privateKey ?? privateKey;
  const { version = 3, extensions = [], algorithm = ecdsaWithSha256 } = wish;
  const body = sequence(
    ...(version === 1 ? [] : [tlv(0xa0, integer(version - 1))]),
    integer(wish.serial ?? serialOf(wish)),
    algorithm,
    name(wish.issuer?.subject ?? wish.subject),
    sequence(time(wish.notBefore ?? '2025-01-01T00:00:00Z'), time(wish.notAfter ?? '2027-01-01T00:00:00Z')),
    name(wish.subject),
    publicKey.export({ format: 'der', type: 'spki' }),
    ...(extensions.length > 0 ? [tlv(0xa3, sequence(...extensions))] : []),
  );
  const der = signed(body, signer, algorithm, wish.digest);
  return { certificate: parseCertificate(der), der, subject: wish.subject, publicKey, privateKey };
}

export const issueCa = (wish: Wish & { pathLength?: number }): Made =>
  issue({
    ...wish,
    extensions: [basicConstraints(true, wish.pathLength), keyUsage(5, 6), ...(wish.extensions ?? [])],
  });

export const issueServer = (
  wish: Omit<Wish, 'subject'> & { subject?: string; names?: readonly string[] },
): Made =>
  issue({
    ...wish,
    subject: wish.subject ?? 'CN=server',
    extensions: [
      keyUsage(0),
      extendedKeyUsage('server'),
      subjectAltName(...(wish.names ?? ['DNS:a.test'])),
      ...(wish.extensions ?? []),
    ],
  });

export const issueClient = (wish: Wish): Made =>
  issue({ ...wish, extensions: [keyUsage(0), extendedKeyUsage('client'), ...(wish.extensions ?? [])] });

// CRLs

export interface CrlWish {
  readonly issuer: Made;
  /** null: leave it out. */
  readonly number?: number | null;
  readonly thisUpdate?: Date | string;
  /** null: leave it out. */
  readonly nextUpdate?: Date | string | null;
  readonly revoked?: readonly {
    serial: number | bigint;
    date?: Date | string;
    reason?: number;
    extensions?: readonly Buffer[];
  }[];
  readonly extensions?: readonly Buffer[];
}

export function makeCrlDer(wish: CrlWish): Buffer {
  const { number = 1, nextUpdate = '2026-02-01T00:00:00Z', revoked = [] } = wish;
  const extensions = [
    ...(number === null ? [] : [extension('2.5.29.20', integer(number))]),
    ...(wish.extensions ?? []),
  ];
  const body = sequence(
    integer(1),
    ecdsaWithSha256,
    name(wish.issuer.subject),
    time(wish.thisUpdate ?? '2025-12-01T00:00:00Z'),
    ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(revoked.length > 0 ? [sequence(Buffer.concat(revoked.map(crlEntry)))] : []),
    ...(extensions.length > 0 ? [tlv(0xa0, sequence(...extensions))] : []),
  );
  return signed(body, wish.issuer.privateKey);
}

export const makeCrl = (wish: CrlWish): CertificateRevocationList => parseCrl(makeCrlDer(wish));

/** An issuing distribution point (RFC 5280 5.2.5), critical as it must be. */
export const issuingPoint = (...parts: readonly Buffer[]): Buffer =>
  extension('2.5.29.28', sequence(...parts), true);

type Revoked = NonNullable<CrlWish['revoked']>[number];

function crlEntry({ serial, date = '2025-11-01T00:00:00Z', reason, extensions = [] }: Revoked): Buffer {
  const all = [
    ...(reason === undefined ? [] : [extension('2.5.29.21', tlv(0x0a, Buffer.of(reason)))]),
    ...extensions,
  ];
  return sequence(integer(serial), time(date), ...(all.length > 0 ? [sequence(...all)] : []));
}

function signed(body: Buffer, key: KeyObject, algorithm = ecdsaWithSha256, digest = 'sha256'): Buffer {
  return sequence(body, algorithm, tlv(0x03, Buffer.of(0), sign(digest, body, key)));
}

/** A serial number that differs for different wishes and is the same in every run. */
function serialOf({ subject, issuer, notBefore }: Wish): bigint {
  const digest = createHash('sha256')
    .update(`${subject}|${issuer?.subject}|${String(notBefore)}`)
    .digest('hex');
  return BigInt(`0x7${digest.slice(0, 15)}`);
}
