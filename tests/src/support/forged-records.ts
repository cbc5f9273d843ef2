/**
 * Records that no TLS library sends: the handshake is node:tls's, over a socket of which a copy is kept; then the test takes the
 * connection over with the keys from the key log. AES-128-GCM with SHA-256 only.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, createSecureContext, TLSSocket, type ConnectionOptions, type TlsOptions } from 'node:tls';
import type { Version } from './raw-tls.js';

const ciphers = 'TLS_AES_128_GCM_SHA256:ECDHE+AES128';

/** The types of records (RFC 8446 5.1). */
export const recordType = { alert: 21, handshake: 22, data: 23 } as const;

/** A connection whose handshake is done, on which the test alone sends now. */
export interface TakenOver {
  readonly socket: Socket;
  /** The next record. */
  readonly seal: (type: number, body: Uint8Array) => Buffer;
}

export async function forgingClient(
  port: number,
  version: Version,
  options: ConnectionOptions = {},
): Promise<TakenOver> {
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  const wire = new CopyingWire(socket);
  const tls = connect({ ...options, ...only(version), socket: wire, rejectUnauthorized: false });
  const secrets = secretsOf(tls);
  await once(tls, 'secureConnect');
  return takeOver(wire, version, 'CLIENT', secrets);
}

export interface ForgingServer extends AsyncDisposable {
  readonly port: number;
}

/** @param taken gets each connection, after the session tickets that Node sends */
export async function forgingServer(
  version: Version,
  options: TlsOptions,
  taken: (connection: TakenOver) => void,
): Promise<ForgingServer> {
  const context = { ...options, ...only(version) };
  const server = createServer((socket) => {
    const wire = new CopyingWire(socket);
    const tls = new TLSSocket(wire, { isServer: true, secureContext: createSecureContext(context) });
    const secrets = secretsOf(tls);
    tls.once('secure', () => {
      setImmediate(() => {
        taken(takeOver(wire, version, 'SERVER', secrets));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

const only = (version: Version) => ({ minVersion: version, maxVersion: version, ciphers });

/** A failure of the socket is its own; that of TLS over it comes when the test has taken over. */
function secretsOf(tls: TLSSocket): string[][] {
  const lines: string[][] = [];
  tls.on('error', () => undefined);
  tls.on('keylog', (line: Buffer) => lines.push(line.toString().trim().split(' ')));
  return lines;
}

class CopyingWire extends Duplex {
  readonly socket: Socket;
  readonly sent: Buffer[] = [];
  readonly received: Buffer[] = [];
  isTakenOver = false;

  constructor(socket: Socket) {
    super();
    this.socket = socket;
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('data', (chunk) => {
      if (this.isTakenOver) return;
      this.received.push(chunk);
      this.push(chunk);
    });
  }

  override _read(): void {
    // The socket sends all that comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.isTakenOver) {
      this.sent.push(chunk);
      this.socket.write(chunk);
    }
    done();
  }
}

function takeOver(
  wire: CopyingWire,
  version: Version,
  side: 'CLIENT' | 'SERVER',
  secrets: readonly string[][],
): TakenOver {
  wire.isTakenOver = true;
  const { socket } = wire;
  const sent = recordsOf(wire.sent);
  if (version === 'TLSv1.2') {
    const { key, salt } = keys12(side, secrets, side === 'SERVER' ? sent : recordsOf(wire.received));
    const protectedSince = sent.findIndex((record) => record[0] === CHANGE_CIPHER_SPEC) + 1;
    let number = BigInt(sent.length - protectedSince);
    return { socket, seal: (type, body) => seal12(key, salt, number++, type, body) };
  }
  const secret = Buffer.from(secretIn(secrets, `${side}_TRAFFIC_SECRET_0`).at(-1) as string, 'hex');
  const keys = { key: expandLabel(secret, 'key', 16), iv: expandLabel(secret, 'iv', 12) };
  let number = 0n;
  for (const record of sent.filter(([type]) => type === recordType.data))
    if (isUnder(keys, number, record)) number += 1n;
  return { socket, seal: (type, body) => seal13(keys, number++, type, body) };
}

const CHANGE_CIPHER_SPEC = 20;
const HEAD = 5;
const TAG = 16;

function recordsOf(chunks: readonly Buffer[]): Buffer[] {
  const bytes = Buffer.concat(chunks);
  const records: Buffer[] = [];
  for (let at = 0; at + HEAD <= bytes.length;) {
    const end = at + HEAD + bytes.readUInt16BE(at + 3);
    records.push(bytes.subarray(at, end));
    at = end;
  }
  return records;
}

function secretIn(secrets: readonly string[][], label: string): string[] {
  const line = secrets.find(([first]) => first === label);
  if (line === undefined) throw new Error(`the key log has no ${label}`);
  return line;
}

const hmac = (key: Buffer, ...parts: Uint8Array[]): Buffer =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();

function headOf(type: number, length: number): Buffer {
  return Buffer.of(type, 3, 3, length >> 8, length & 0xff);
}

function numbered(number: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(number);
  return bytes;
}

function gcm(key: Buffer, nonce: Buffer, aad: Buffer, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-128-gcm', key, nonce).setAAD(aad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

// ── TLS 1.2: RFC 5246 6.3, RFC 5288 3 ──

function keys12(
  side: 'CLIENT' | 'SERVER',
  secrets: readonly string[][],
  fromServer: readonly Buffer[],
): { key: Buffer; salt: Buffer } {
  const [, clientRandom, master] = secretIn(secrets, 'CLIENT_RANDOM').map((hex) => Buffer.from(hex, 'hex'));
  const serverRandom = (fromServer[0] as Buffer).subarray(HEAD + 6, HEAD + 38);
  const block = keyBlock(master as Buffer, Buffer.concat([serverRandom, clientRandom as Buffer]));
  return side === 'CLIENT'
    ? { key: block.subarray(0, 16), salt: block.subarray(32, 36) }
    : { key: block.subarray(16, 32), salt: block.subarray(36, 40) };
}

function keyBlock(master: Buffer, randoms: Buffer): Buffer {
  const seed = Buffer.concat([Buffer.from('key expansion'), randoms]);
  const first = hmac(master, seed);
  return Buffer.concat([hmac(master, first, seed), hmac(master, hmac(master, first), seed)]);
}

function seal12(key: Buffer, salt: Buffer, number: bigint, type: number, body: Uint8Array): Buffer {
  const explicit = numbered(number);
  const aad = Buffer.concat([explicit, headOf(type, body.length)]);
  const sealed = gcm(key, Buffer.concat([salt, explicit]), aad, body);
  return Buffer.concat([headOf(type, explicit.length + sealed.length), explicit, sealed]);
}

// ── TLS 1.3: RFC 8446 5.2, 5.3, 7.1 ──

interface Keys13 {
  readonly key: Buffer;
  readonly iv: Buffer;
}

function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const words = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, length, words.length), words, Buffer.of(0)]);
  return hmac(secret, info, Buffer.of(1)).subarray(0, length);
}

function nonceOf({ iv }: Keys13, number: bigint): Buffer {
  const last = iv.readBigUInt64BE(4) ^ number;
  return Buffer.concat([iv.subarray(0, 4), numbered(last)]);
}

function seal13(keys: Keys13, number: bigint, type: number, body: Uint8Array): Buffer {
  const plain = Buffer.concat([body, Buffer.of(type)]);
  const head = headOf(recordType.data, plain.length + TAG);
  return Buffer.concat([head, gcm(keys.key, nonceOf(keys, number), head, plain)]);
}

/** Whether Node sent this record under these keys, and not under those of the handshake. */
function isUnder(keys: Keys13, number: bigint, record: Buffer): boolean {
  const decipher = createDecipheriv('aes-128-gcm', keys.key, nonceOf(keys, number));
  decipher.setAAD(record.subarray(0, HEAD)).setAuthTag(record.subarray(-TAG));
  try {
    decipher.update(record.subarray(HEAD, -TAG));
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
