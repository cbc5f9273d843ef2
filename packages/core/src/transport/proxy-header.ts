/** The PROXY protocol, versions 1 and 2, receiving: the client for which a trusted proxy connects. */
import { isIP } from '../node/net.js';
import { ProtocolError } from '../errors/index.js';
import { showIp } from '../x509/ip-address.js';
import { crc32c } from './crc32c.js';

/** An address with its port. */
export interface Endpoint {
  /** An IP address. */
  readonly address: string;
  /** From 0 to 65535. */
  readonly port: number;
}

/** Text for errors and events. */
export function showEndpoint(endpoint: Endpoint | null, path: string | null = null): string {
  if (endpoint === null) return path === null ? 'a local peer' : `a local peer on ${path}`;
  const { address, port } = endpoint;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The peer of a connection as error messages name it: by its address, where it has one. */
export function showPeer(
  side: 'client' | 'server',
  remote: Endpoint | null,
  path: string | null,
): string | undefined {
  if (remote === null || side === 'client') return addressOf(side, remote, path) ?? undefined;
  return `the client ${showEndpoint(remote)}`;
}

/** The other end's address as error messages name it; null where it has none. @param path the Unix socket between the two */
export function addressOf(
  side: 'client' | 'server',
  remote: Endpoint | null,
  path: string | null,
): string | null {
  if (remote !== null) return showEndpoint(remote);
  return side === 'client' || path === null ? path : showEndpoint(null, path);
}

/** An extension of a version 2 header. */
export interface ProxyTlv {
  /** Its number, as the specification lists them. */
  readonly type: number;
  /** Its bytes. */
  readonly value: Buffer;
}

/** What a proxy reports of the connection that it forwards. */
export interface ProxyInfo {
  /** The version of the header: 1 is text, 2 is binary. */
  readonly version: 1 | 2;
  /** The real client; null where the proxy connects for itself (a health check), or doesn't know. */
  readonly source: Endpoint | null;
  /** Where the client connected to; null where the header doesn't contain it. */
  readonly destination: Endpoint | null;
  /** Version 2 only. */
  readonly tlvs: readonly ProxyTlv[];
}

export const PROXY_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** The longest version 1 line, its end included. */
const MAX_LINE = 107;
/** Two paths of 108 bytes. */
const UNIX_ADDRESSES = 216;
/** The type of the extension that carries a checksum. */
const CRC32C = 3;
/** Version 2 headers carry addresses and a few extensions; a longer one is an error or an attack. */
export const MAX_PROXY_BODY = 4_096;

/** The header at the beginning of the bytes; null while it is incomplete. @throws ProtocolError where there is none */
export function readProxyHeader(bytes: Buffer): { info: ProxyInfo; length: number } | null {
  const probe = bytes.subarray(0, PROXY_SIGNATURE.length);
  if (probe.equals(PROXY_SIGNATURE.subarray(0, probe.length))) return readBinary(bytes);
  const word = bytes.subarray(0, 6).toString('latin1');
  if ('PROXY '.startsWith(word)) return readLine(bytes);
  throw new ProtocolError('a trusted proxy sent no PROXY header', {}, 'KNSOCK_PROXY_HEADER');
}

function readLine(bytes: Buffer): { info: ProxyInfo; length: number } | null {
  const end = bytes.subarray(0, MAX_LINE).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= MAX_LINE) throw malformed("its line doesn't end");
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
    throw malformed("its addresses aren't of its family");
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
  if (bodyLength > MAX_PROXY_BODY)
    throw malformed(`it announces ${bodyLength} bytes, over the limit of ${MAX_PROXY_BODY}`);
  const length = 16 + bodyLength;
  if (bytes.length < length) return null;
  const local = (command & 0x0f) === 0;
  if (!local && (command & 0x0f) !== 1) throw malformed('its command is neither LOCAL nor PROXY');
  const header = bytes.subarray(0, length);
  return { info: local ? ITSELF : passedOn(header, (bytes[13] as number) >> 4), length };
}

/** What a proxy sends on a connection of its own: a health check. */
const ITSELF: ProxyInfo = Object.freeze({ version: 2, source: null, destination: null, tlvs: [] });

function passedOn(header: Buffer, family: number): ProxyInfo {
  const body = header.subarray(16);
  const size = family === 1 ? 4 : family === 2 ? 16 : null;
  const addressBytes = size === null ? (family === 3 ? UNIX_ADDRESSES : 0) : 2 * size + 4;
  if (body.length < addressBytes) throw malformed('its addresses are cut short');
  const tlvs = readTlvs(body.subarray(addressBytes));
  checkSum(header, tlvs);
  if (size === null) return { version: 2, source: null, destination: null, tlvs };
  const endpoint = (at: number, port: number): Endpoint => ({
    address: showIp(body.subarray(at, at + size)),
    port: body.readUInt16BE(port),
  });
  return {
    version: 2,
    source: endpoint(0, 2 * size),
    destination: endpoint(size, 2 * size + 2),
    tlvs,
  };
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

/** A checksum must match where the proxy sent one; it covers the header with its own bytes as zeros. */
function checkSum(header: Buffer, tlvs: readonly ProxyTlv[]): void {
  const sum = tlvs.find(({ type }) => type === CRC32C);
  if (sum === undefined) return;
  const behind = tlvs.slice(tlvs.indexOf(sum) + 1).reduce((bytes, { value }) => bytes + 3 + value.length, 0);
  const end = header.length - behind;
  const blank = Buffer.from(header);
  blank.fill(0, end - sum.value.length, end);
  if (sum.value.length !== 4 || sum.value.readUInt32BE() !== crc32c(blank))
    throw malformed("its checksum doesn't fit");
}

function malformed(why: string): ProtocolError {
  return new ProtocolError(`the PROXY header is malformed: ${why}`, {}, 'KNSOCK_PROXY_HEADER');
}
