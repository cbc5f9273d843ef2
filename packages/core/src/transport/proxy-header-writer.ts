/** The PROXY protocol, versions 1 and 2, sending: before TLS, the client for which this connection is made. */
import { isIP } from '../node/net.js';
import { InvalidOptionError } from '../errors/index.js';
import { anything, readAllOptions, type OptionReaders } from '../options/index.js';
import { parseIp } from '../x509/ip-address.js';
import { MAX_PROXY_BODY, PROXY_SIGNATURE, type Endpoint } from './proxy-header.js';

/** A header to send. */
export interface ProxyHeader {
  /** The real client, and where it connected to: two addresses of one family; null where we connect for ourselves. */
  readonly source: Endpoint | null;
  /** Where the client connected to; null where that isn't known. */
  readonly destination: Endpoint | null;
  /** Default 2. */
  readonly version?: 1 | 2 | undefined;
  /** Extensions; version 2 only. */
  readonly tlvs?: readonly { readonly type: number; readonly value: Uint8Array }[] | undefined;
}

const headerOptions = {
  source: anything,
  destination: anything,
  version: parseVersion,
  tlvs: anything,
} as const satisfies OptionReaders<ProxyHeader>;

/** The bytes of a header. @throws InvalidOptionError for what the protocol can't express */
export function writeProxyHeader(header: ProxyHeader): Buffer {
  const { version } = readAllOptions(header, headerOptions, 'proxyHeader');
  const { source, destination, tlvs = [] } = header;
  if (source === undefined || destination === undefined)
    throw refused('needs source and destination, or null for both');
  if (source === null || destination === null) return version === 1 ? UNKNOWN : LOCAL;
  const [from, to] = [parseIp(source.address), parseIp(destination.address)];
  if (from === undefined || to === undefined || from.length !== to.length)
    throw refused('needs two IP addresses of one family');
  const ports = Buffer.concat([portBytes(source), portBytes(destination)]);
  if (version === 1) {
    if (tlvs.length > 0) throw refused('can carry extensions in version 2 only');
    return line(source, destination);
  }
  const body = Buffer.concat([from, to, ports, ...tlvs.map(extension)]);
  if (body.length > MAX_PROXY_BODY)
    throw refused(`carries ${body.length} bytes, over the limit of ${MAX_PROXY_BODY}`);
  const family = from.length === 4 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  const head = Buffer.from([VERSION_2_PROXY, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([PROXY_SIGNATURE, head, body]);
}

function parseVersion(_option: string, version: 1 | 2 | undefined = 2): 1 | 2 {
  if (version === 1 || version === 2) return version;
  throw refused('is of version 1 or 2');
}

const VERSION_2_PROXY = 0x21;
/** For ourselves, such as a health check; or for a client without an address. */
const LOCAL = Buffer.concat([PROXY_SIGNATURE, Buffer.from([0x20, 0, 0, 0])]);
const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n', 'latin1');
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

function line(source: Endpoint, destination: Endpoint): Buffer {
  const addresses = `${source.address} ${destination.address} ${source.port} ${destination.port}`;
  return Buffer.from(`PROXY TCP${isIP(source.address)} ${addresses}\r\n`, 'latin1');
}

function portBytes({ port }: Endpoint): Buffer {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw refused(`has a port that is none: ${String(port)}`);
  return Buffer.from([port >> 8, port & 0xff]);
}

function extension({ type, value }: { type: number; value: Uint8Array }): Buffer {
  if (!Number.isInteger(type) || type < 0 || type > 255)
    throw refused(`has an extension of type ${String(type)}; types are bytes`);
  return Buffer.concat([Buffer.from([type, (value.length >> 8) & 0xff, value.length & 0xff]), value]);
}

function refused(why: string): InvalidOptionError {
  return new InvalidOptionError('proxyHeader', `proxyHeader ${why}`);
}
