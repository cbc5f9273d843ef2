/** Parses addresses: `host:port`, `[::1]:port`, `:port`, `unix:/path`. */
import { UsageError } from './usage-error.js';

export type Address =
  { readonly host: string | undefined; readonly port: number } | { readonly path: string };

/** @throws UsageError if the text has none of the forms */
export function parseAddress(text: string): Address {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path !== '') return { path };
  }
  const [, bracketed, plain = '', digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]/]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) {
    throw new UsageError(
      `'${text}' isn't an address`,
      'Write host:port, [IPv6]:port or unix:/path/of/socket.',
    );
  }
  const host = bracketed ?? plain;
  return { host: host === '' ? undefined : host, port };
}

/** The address in the form that `parseAddress` reads. */
export function showAddress(address: { address: string; port: number } | { path: string }): string {
  if ('path' in address) return `unix:${address.path}`;
  const host = plainIp(address.address);
  return host.includes(':') ? `[${host}]:${address.port}` : `${host}:${address.port}`;
}

/** IPv4 addresses that a dual-stack listener reports as IPv4-mapped IPv6, unmapped. */
export function plainIp(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

/** Whether the address is only reachable from this machine. */
export function isLoopback(address: Address): boolean {
  if ('path' in address) return true;
  const host = address.host ?? 'localhost';
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
