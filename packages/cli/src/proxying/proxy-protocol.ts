/** The PROXY protocol at a proxy: the header received from a load balancer, and the one sent to the target. */
import { BlockList, isIPv6, type Socket } from 'node:net';
import type { Endpoint, ProxyHeader, SecureConnection } from '@knsock/core';
import { plainIp } from '../address.js';
import { UsageError } from '../usage-error.js';
import { readFirst } from './first-bytes.js';

/** The client of a forwarded connection, and the local address. */
export interface Origin {
  readonly source: Endpoint | null;
  readonly destination: Endpoint | null;
}

/** Extensions of the header (its specification, 2.2): the TLS properties of the client. */
const ALPN = 0x01;
const AUTHORITY = 0x02;
const SSL = 0x20;
const SSL_VERSION = 0x21;
const SSL_CN = 0x22;
const SSL_CIPHER = 0x23;
const CLIENT_SSL = 0x01;
const CLIENT_CERTIFICATE = 0x02;

/** Trusted load balancers. @throws UsageError for an invalid network */
export function trustedProxies(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [address = '', prefix] = text.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
    } catch {
      throw new UsageError(`'${text}' isn't an address or a network`, 'Write it as 10.0.0.0/8 or fd00::/8.');
    }
  }
  return list;
}

/** The origin of a plain socket: its own, or the one in the PROXY header, which a trusted proxy must send. */
export async function originOf(
  socket: Socket,
  proxies: BlockList | null,
  signal: AbortSignal,
): Promise<Origin> {
  const direct = addressesOf(socket);
  const { source } = direct;
  if (proxies === null || source === null) return direct;
  if (!proxies.check(source.address, isIPv6(source.address) ? 'ipv6' : 'ipv4')) return direct;
  const { readProxyHeader } = await import('@knsock/core');
  const told = await readFirst(socket, signal, (bytes) => {
    const header = readProxyHeader(bytes);
    return header && { found: header.info, length: header.length };
  });
  return told.source === null ? direct : told;
}

/** The addresses at both ends of a socket; null on a Unix socket. */
export function addressesOf(socket: Socket): Origin {
  const { remoteAddress, remotePort = 0, localAddress, localPort = 0 } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return { source: null, destination: null };
  return {
    source: { address: withoutZone(remoteAddress), port: remotePort },
    destination: { address: withoutZone(localAddress), port: localPort },
  };
}

/** The header for a TLS connection: with its server name, protocol and client certificate. */
export function headerOf({ tls, peer }: SecureConnection, origin: Origin, version: 1 | 2): ProxyHeader {
  if (version === 1) return { ...origin, version };
  const flags = CLIENT_SSL | (peer === null ? 0 : CLIENT_CERTIFICATE);
  const verified = Buffer.alloc(5);
  verified.writeUInt8(flags, 0);
  verified.writeUInt32BE(peer === null ? 1 : 0, 1);
  const commonName = peer?.commonNames[0];
  const ssl = Buffer.concat([
    verified,
    tlv(SSL_VERSION, tls.version),
    ...(commonName === undefined ? [] : [tlv(SSL_CN, commonName)]),
    tlv(SSL_CIPHER, tls.cipher),
  ]);
  const tlvs = [
    ...(tls.alpn ? [{ type: ALPN, value: Buffer.from(tls.alpn) }] : []),
    ...(tls.servername ? [{ type: AUTHORITY, value: Buffer.from(tls.servername) }] : []),
    { type: SSL, value: ssl },
  ];
  return { ...origin, version, tlvs };
}

function tlv(type: number, text: string): Buffer {
  const value = Buffer.from(text);
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

/** A header has no field for a zone, which is only meaningful on this machine. */
function withoutZone(address: string): string {
  return plainIp(address).replace(/%.*$/, '');
}
