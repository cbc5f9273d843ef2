/** The PROXY protocol, versions 1 and 2: which client a trusted proxy speaks for. */
import { isIP } from 'node:net';
import { InvalidOptionError, ProtocolError } from '../errors/index.js';
import { parseIp, showIp } from '../x509/ip-address.js';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Text for errors and events. */
export function showEndpoint(endpoint: Endpoint | null): string {
  if (endpoint === null) return 'a local peer';
  const { address, port } = endpoint;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** An extension of a version 2 header. */
export interface ProxyTlv {
  readonly type: number;
  readonly value: Buffer;
}

/** What a proxy says of the connection it passes on. */
export interface ProxyInfo {
  readonly version: 1 | 2;
  /** The true client; null where the proxy speaks for itself (a health check), or doesn't know. */
  readonly source: Endpoint | null;
  readonly destination: Endpoint | null;
  /** Version 2 only. */
  readonly tlvs: readonly ProxyTlv[];
}

/** A header to send. */
export interface ProxyHeader {
  readonly source: Endpoint;
  readonly destination: Endpoint;
  /** Default 2. */
  readonly version?: 1 | 2;
  /** Version 2 only. */
  readonly tlvs?: readonly { readonly type: number; readonly value: Uint8Array }[];
}

export const PROXY_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** The longest version 1 line, its end included. */
const MAX_LINE = 107;
/** Version 2 headers carry addresses and a few extensions; a longer one is somebody's mistake or malice. */
const MAX_BODY = 4_096;

/** The header at the beginning of the bytes; null while it is incomplete. @throws ProtocolError where there is none */
export function readProxyHeader(bytes: Buffer): { info: ProxyInfo; length: number } | null {
  const probe = bytes.subarray(0, PROXY_SIGNATURE.length);
  if (probe.equals(PROXY_SIGNATURE.subarray(0, probe.length))) return readBinary(bytes);
  const word = bytes.subarray(0, 6).toString('latin1');
  if ('PROXY '.startsWith(word)) return readLine(bytes);
  throw new ProtocolError('a trusted proxy sent no PROXY header', {
    hint: 'Is the PROXY protocol switched on in the proxy, and are only proxies listed in proxyProtocol.from?',
  });
}

function readLine(bytes: Buffer): { info: ProxyInfo; length: number } | null {
  const end = bytes.subarray(0, MAX_LINE).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= MAX_LINE) throw malformed('its line doesn’t end');
    return null;
  }
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] = bytes
    .subarray(0, end)
    .toString('latin1')
    .split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN')
    return { info: { version: 1, source: null, destination: null, tlvs: [] }, length };
  const wanted = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : -1;
  if (isIP(source) !== wanted || isIP(destination) !== wanted || rest.length > 0)
    throw malformed('its addresses aren’t of its family');
  const info = {
    version: 1,
    source: { address: source, port: portFrom(sourcePort) },
    destination: { address: destination, port: portFrom(destinationPort) },
    tlvs: [],
  } as const;
  return { info, length };
}

function portFrom(text: string): number {
  const port = Number(text);
  if (!/^(0|[1-9]\d{0,4})$/.test(text) || port > 65_535) throw malformed(`'${text}' is no port`);
  return port;
}

function readBinary(bytes: Buffer): { info: ProxyInfo; length: number } | null {
  if (bytes.length < 16) return null;
  const command = bytes[12] as number;
  const bodyLength = bytes.readUInt16BE(14);
  if (command >> 4 !== 2) throw malformed(`its version is ${command >> 4}`);
  if (bodyLength > MAX_BODY)
    throw malformed(`it announces ${bodyLength} bytes, over the limit of ${MAX_BODY}`);
  const length = 16 + bodyLength;
  if (bytes.length < length) return null;
  const local = (command & 0x0f) === 0;
  if (!local && (command & 0x0f) !== 1) throw malformed('its command is neither LOCAL nor PROXY');
  const body = bytes.subarray(16, length);
  const family = (bytes[13] as number) >> 4;
  const size = family === 1 ? 4 : family === 2 ? 16 : null;
  if (size !== null && body.length < 2 * size + 4) throw malformed('its addresses are cut short');
  const tlvs = size === null ? [] : readTlvs(body.subarray(2 * size + 4));
  if (local || size === null) return { info: { version: 2, source: null, destination: null, tlvs }, length };
  const source = { address: showIp(body.subarray(0, size)), port: body.readUInt16BE(2 * size) };
  const destination = {
    address: showIp(body.subarray(size, 2 * size)),
    port: body.readUInt16BE(2 * size + 2),
  };
  return { info: { version: 2, source, destination, tlvs }, length };
}

function readTlvs(bytes: Buffer): ProxyTlv[] {
  const tlvs: ProxyTlv[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = at + 3 + (at + 3 <= bytes.length ? bytes.readUInt16BE(at + 1) : 0);
    if (at + 3 > bytes.length || end > bytes.length) throw malformed('an extension is cut short');
    tlvs.push({ type: bytes[at] as number, value: Buffer.from(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}

/** The bytes of a header to send. @throws InvalidOptionError for addresses of two families, or none */
export function writeProxyHeader({ source, destination, version = 2, tlvs = [] }: ProxyHeader): Buffer {
  const [from, to] = [parseIp(source.address), parseIp(destination.address)];
  const family = isIP(source.address);
  if (from === undefined || to === undefined || from.length !== to.length) {
    throw new InvalidOptionError('proxyHeader', 'proxyHeader needs two IP addresses of one family');
  }
  if (version === 1) {
    const line = `PROXY TCP${family} ${source.address} ${destination.address} ${source.port} ${destination.port}\r\n`;
    return Buffer.from(line, 'latin1');
  }
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const extensions = tlvs.map(({ type, value }) => {
    const head = Buffer.from([type, value.length >> 8, value.length & 0xff]);
    return Buffer.concat([head, value]);
  });
  const body = Buffer.concat([from, to, ports, ...extensions]);
  if (body.length > MAX_BODY)
    throw new InvalidOptionError('proxyHeader', `proxyHeader carries ${body.length} bytes, over ${MAX_BODY}`);
  const head = Buffer.from([0x21, family === 4 ? 0x11 : 0x21, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([PROXY_SIGNATURE, head, body]);
}

function malformed(why: string): ProtocolError {
  return new ProtocolError(`the PROXY header is malformed: ${why}`);
}
