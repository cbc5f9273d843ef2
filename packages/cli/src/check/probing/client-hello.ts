/** Hand-made ClientHellos (RFC 8446 4.1.2, RFC 5246 7.4.1.2): they offer what TLS libraries no longer do. */
import { createECDH, generateKeyPairSync, randomBytes } from 'node:crypto';
import { groups, signatureAlgorithms } from './code-points.js';
import { versionNumbers, type TlsVersion } from './tls-version.js';

export interface HelloOptions {
  readonly version: Exclude<TlsVersion, 'SSLv2'>;
  readonly suites: readonly number[];
  readonly servername: string | undefined;
  /** Default: all. */
  readonly groups?: readonly number[] | undefined;
  readonly signatureAlgorithms?: readonly number[] | undefined;
  /** TLS 1.3: sends keys, so that the server needs no second ClientHello. */
  readonly keyShares?: boolean;
  /** Offers DEFLATE. */
  readonly compression?: boolean;
}

/** Signalling values: the client supports secure renegotiation, or has fallen back to an older version. */
export const RENEGOTIATION_SCSV = 0x00ff;
export const FALLBACK_SCSV = 0x5600;

export const extension = {
  serverName: 0,
  groups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  supportedVersions: 43,
  pskModes: 45,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const;

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const LEGACY_RECORD = 0x0301;

/** The hello in its record. */
export function clientHello(options: HelloOptions): Buffer {
  const { version, suites, compression = false } = options;
  const legacy = Math.min(versionNumbers[version], versionNumbers['TLSv1.2']);
  const body = Buffer.concat([
    uint16(legacy),
    randomBytes(32),
    // Middleboxes and some servers expect a session id from clients of TLS 1.3.
    vector(1, version === 'TLSv1.3' ? randomBytes(32) : Buffer.alloc(0)),
    vector(2, numbers(suites)),
    vector(1, Buffer.from(compression ? [1, 0] : [0])),
    version === 'SSLv3' ? Buffer.alloc(0) : vector(2, Buffer.concat(extensionsOf(options))),
  ]);
  const message = Buffer.concat([Buffer.from([CLIENT_HELLO]), vector(3, body)]);
  const record = version === 'SSLv3' ? versionNumbers.SSLv3 : LEGACY_RECORD;
  return Buffer.concat([Buffer.from([HANDSHAKE_RECORD]), uint16(record), vector(2, message)]);
}

/** A hello of SSL 2.0, with its seven suites. */
export function sslv2Hello(): Buffer {
  const kinds = [0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0];
  const specs = Buffer.concat(kinds.map((kind) => sized(3, kind)));
  const lengths = [uint16(specs.length), uint16(0), uint16(16)];
  const body = Buffer.concat([Buffer.from([CLIENT_HELLO, 0, 2]), ...lengths, specs, randomBytes(16)]);
  return Buffer.concat([uint16(0x8000 | body.length), body]);
}

function extensionsOf(options: HelloOptions): Buffer[] {
  const { version, servername, keyShares = false } = options;
  const offered = options.groups ?? Object.values(groups);
  const signing = options.signatureAlgorithms ?? Object.values(signatureAlgorithms);
  const list = [
    ...(servername === undefined ? [] : [part(extension.serverName, serverName(servername))]),
    part(extension.groups, vector(2, numbers(offered))),
    part(extension.pointFormats, vector(1, Buffer.from([0]))),
    part(extension.sessionTicket, Buffer.alloc(0)),
    part(extension.extendedMasterSecret, Buffer.alloc(0)),
    part(extension.renegotiationInfo, vector(1, Buffer.alloc(0))),
  ];
  if (version === 'TLSv1.2' || version === 'TLSv1.3')
    list.push(part(extension.signatureAlgorithms, vector(2, numbers(signing))));
  if (version !== 'TLSv1.3') return list;
  return [
    ...list,
    part(extension.supportedVersions, vector(1, uint16(versionNumbers['TLSv1.3']))),
    part(extension.pskModes, vector(1, Buffer.from([1]))),
    part(extension.keyShare, vector(2, keyShares ? Buffer.concat(shares()) : Buffer.alloc(0))),
  ];
}

function serverName(name: string): Buffer {
  return vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name))]));
}

/** Real keys for the groups that nearly every server has. */
function shares(): Buffer[] {
  const x25519 = generateKeyPairSync('x25519')
    .publicKey.export({ type: 'spki', format: 'der' })
    .subarray(-32);
  const p256 = createECDH('prime256v1').generateKeys();
  const share = (group: number | undefined, key: Buffer) =>
    Buffer.concat([uint16(group ?? 0), vector(2, key)]);
  return [share(groups['X25519'], x25519), share(groups['P-256'], p256)];
}

function part(type: number, body: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector(2, body)]);
}

/** Bytes prefixed with their length. */
function vector(lengthBytes: 1 | 2 | 3, body: Buffer): Buffer {
  return Buffer.concat([sized(lengthBytes, body.length), body]);
}

function numbers(values: readonly number[]): Buffer {
  return Buffer.concat(values.map(uint16));
}

function uint16(value: number): Buffer {
  return sized(2, value);
}

function sized(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
