/** Pebble, the ACME server that Let's Encrypt made for tests of clients, and a DNS server beside it. */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAuthority } from '@knsock/certs';
import { freePort, startProgram, type Program } from './program.js';

/** How pebble is set up. */
export interface PebbleOptions {
  /** Where its files are written. */
  readonly folder: string;
  /** In percent; default 0. */
  readonly refusedNonces?: number;
  /** Keys of external accounts, which are then required, by their ids. */
  readonly externalKeys?: Readonly<Record<string, string>>;
  /** Of certificates, in seconds. */
  readonly validity?: number;
  /** The ports at which it validates; default free ones. */
  readonly ports?: { readonly tls: number; readonly http: number };
}

/** A running pebble. */
export interface Pebble extends AsyncDisposable {
  readonly directory: string;
  /** CA of the directory's certificate, PEM. */
  readonly ca: string;
  /** Where it validates by tls-alpn-01 … */
  readonly tlsPort: number;
  /** … and by http-01. */
  readonly httpPort: number;
  /** CA of the certificates that it issues, PEM. */
  root(): Promise<string>;
}

/** Starts pebble; every DNS name is at 127.0.0.1 for it. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const { folder, refusedNonces = 0, externalKeys, validity } = options;
  const authority = await createAuthority({ commonName: 'Directory CA' });
  const { chain, key } = await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'] });
  const [certificate, privateKey] = [join(folder, 'pebble.crt'), join(folder, 'pebble.key')];
  await writeFile(certificate, chain);
  await writeFile(privateKey, key);
  const { tls: tlsPort, http: httpPort } = options.ports ?? { tls: await freePort(), http: await freePort() };
  const management = await freePort();
  const dns = await startDns();
  const config = join(folder, 'pebble.json');
  const env = {
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_WFE_NONCEREJECT: String(refusedNonces),
    PEBBLE_AUTHZREUSE: '0',
  };
  const server = await startProgram(
    'pebble',
    async (port) => {
      const pebble = {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        ...{ certificate, privateKey, httpPort, tlsPort },
        externalAccountBindingRequired: externalKeys !== undefined,
        externalAccountMACKeys: externalKeys ?? {},
        ...(validity === undefined ? {} : { certificateValidityPeriod: validity }),
      };
      await writeFile(config, JSON.stringify({ pebble }));
      return ['-strict', '-config', config, '-dnsserver', `127.0.0.1:${dns.dnsPort}`];
    },
    env,
  );
  const ca = authority.certificate;
  return {
    directory: `https://localhost:${server.port}/dir`,
    ...{ ca, tlsPort, httpPort },
    root: () => fetchText(`https://localhost:${management}/roots/0`, ca),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await dns[Symbol.asyncDispose]();
    },
  };
}

/** Its management interface is what shows that it runs. */
async function startDns(): Promise<Program & { readonly dnsPort: number }> {
  const dnsPort = await freePort();
  const program = await startProgram('pebble-challtestsrv', (port) => [
    ...['-management', `127.0.0.1:${port}`, '-dns01', `127.0.0.1:${dnsPort}`],
    ...['-http01', '', '-https01', '', '-tlsalpn01', ''],
    ...['-defaultIPv4', '127.0.0.1', '-defaultIPv6', ''],
  ]);
  return { ...program, dnsPort };
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, (response) => {
      text(response).then(resolve, reject);
    })
      .on('error', reject)
      .end();
  });
}
