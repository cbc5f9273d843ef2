/** The proxy that the environment names for a URL, as curl and most tools read it. */
import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

/** @returns the proxy's URL; undefined where the host is to be reached directly */
export function environmentProxy(target: string, environment: Environment): string | undefined {
  // The lower-case form takes precedence, as in curl.
  const proxy = environment['https_proxy'] ?? environment['HTTPS_PROXY'] ?? '';
  if (proxy === '' || !URL.canParse(target)) return undefined;
  const { hostname, port } = new URL(target);
  const exceptions = (environment['no_proxy'] ?? environment['NO_PROXY'] ?? '').split(/[\s,]+/);
  const host = unbracketed(hostname);
  if (exceptions.some((exception) => covers(exception, host, port === '' ? '443' : port))) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** `*`, a name with all below it, an address, a network (CIDR); each with or without a port. */
function covers(exception: string, host: string, port: string): boolean {
  if (exception === '*') return true;
  const [, place = '', only] =
    /^(\[[^\]]+\]|[^:]*|[^:]*:.*:.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? [];
  if (only !== undefined && only !== port) return false;
  return isIP(host) === 0 ? isAtOrBelow(host, place.replace(/^\*?\./, '')) : isWithin(host, place);
}

function isAtOrBelow(host: string, name: string): boolean {
  return name !== '' && (host === name || host.endsWith(`.${name}`));
}

/** An exception that is neither an address nor a network covers no address. */
function isWithin(host: string, place: string): boolean {
  const [address = '', prefix, ...more] = unbracketed(place).split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const bits = prefix === undefined ? most : /^\d+$/.test(prefix) ? Number(prefix) : Infinity;
  if (most === -1 || bits > most || more.length > 0) return false;
  const network = new BlockList();
  network.addSubnet(address, bits, family(address));
  return network.check(host, family(host));
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

/** An IPv6 address without the brackets of URLs. */
function unbracketed(host: string): string {
  return host.replace(/[[\]]/g, '');
}
