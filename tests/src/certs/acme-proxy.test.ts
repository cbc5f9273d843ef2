/** A directory behind an HTTP proxy, as in many companies: by an option in programs, by flag and environment in the command. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { createAuthority, type Authority } from '@knsock/certs';
import { acmeCredentials, type AcmeOptions } from '@knsock/certs/acme';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../interop/program.js';
import { startKnsock } from '../support/command.js';
import { startDirectory, type AcmeDirectory } from './acme-directory.js';
import { startConnectProxy, type ConnectProxy } from './connect-proxy.js';

let folder: string;
let directory: AcmeDirectory;
let proxy: ConnectProxy;
const errors: Error[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-acme-proxy-'));
  directory = await startDirectory();
  proxy = await startConnectProxy();
  errors.length = 0;
});
afterEach(async () => {
  await directory[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const order = (changes: Partial<AcmeOptions> = {}) =>
  acmeCredentials({
    ...{ domains: ['a.example'], directory: directory.url, directoryCa: directory.ca, agree: true },
    ...{ challenge: 'http-01', httpChallenges: new Map<string, string>(), dir: join(folder, 'acme') },
    proxy: `http://127.0.0.1:${proxy.port}`,
    onError: (error) => void errors.push(error),
    ...changes,
  });
const place = () => new URL(directory.url).host;

describe('acmeCredentials with a proxy', () => {
  it('sends every request through it', async () => {
    await using source = await order();
    expect(source.status().names).toEqual(['a.example']);
    await source.renew();
    expect(directory.orders).toHaveLength(2);
    expect(proxy.asked.length).toBeGreaterThanOrEqual(directory.requests.length);
    expect(new Set(proxy.asked.map((one) => one.place))).toEqual(new Set([place()]));
    expect(errors).toEqual([]);
  });

  it('shows it the name and password in its URL', async () => {
    await using _source = await order({ proxy: `http://us%40er:p%3Ass@127.0.0.1:${proxy.port}` });
    const basic = `Basic ${Buffer.from('us@er:p:ss').toString('base64')}`;
    expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(new Set([basic]));
  });

  it.each<[string, NonNullable<ConnectProxy['interfere']>, RegExp, Partial<AcmeOptions>?]>([
    [
      'wants a password',
      (client) => client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
      /answered CONNECT localhost:\d+ with status 407/,
    ],
    ['ends without an answer', (client) => client.end(), /the proxy 127\.0\.0\.1:\d+ can't be used/],
    [
      'is silent',
      () => undefined,
      /^localhost:\d+ didn't answer within 300 ms, asked through the proxy 127\.0\.0\.1:\d+$/,
      { timeout: 300 },
    ],
    [
      'opens the way and is silent then',
      (client) => client.write('HTTP/1.1 200 OK\r\n\r\n'),
      /^localhost:\d+ didn't answer within 300 ms/,
      { timeout: 300 },
    ],
    [
      'speaks first in place of the server',
      (client) => client.write('HTTP/1.1 200 OK\r\n\r\nearly'),
      /sent bytes of its own/,
    ],
    [
      'answers without an end',
      (client) => {
        client.write('HTTP/1.1 200 OK\r\n');
        const more = (): void => {
          while (!client.destroyed && client.write('x: y\r\n'.repeat(1_000)));
          client.once('drain', more);
        };
        more();
      },
      /can't be used/,
    ],
  ])(
    'fails in time where it %s, and keeps its password to itself',
    async (_what, interfere, message, more = {}) => {
      proxy.interfere = interfere;
      const error = await order({ ...more, proxy: `http://name:secret@127.0.0.1:${proxy.port}` }).catch(
        (thrown: unknown) => thrown as Error,
      );
      expect(error).toMatchObject({
        code: 'KNSOCK_ACME_DIRECTORY',
        message: expect.stringMatching(message) as string,
      });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('secret');
      expect(directory.requests).toEqual([]);
      expect(await readdir(join(folder, 'acme'))).not.toContain('tls.crt');
    },
  );

  it('trusts no other certificate for the directory than without one', async () => {
    const company = await createAuthority({ commonName: 'Company' });
    const { chain, key } = await company.issue({ kind: 'server', names: ['localhost'] });
    proxy.interfere = (client) => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      new TLSSocket(client, { isServer: true, cert: chain, key }).on('error', () => undefined);
    };
    await expect(order()).rejects.toMatchObject({
      code: 'KNSOCK_ACME_DIRECTORY',
      message: expect.stringMatching(/can't be reached: .*certificate/) as string,
    });
    proxy.interfere = undefined;
    const elsewhere = directory.url.replace('localhost', '127.0.0.1');
    await expect(order({ directory: elsewhere })).rejects.toMatchObject({
      message: expect.stringMatching(/IP: 127\.0\.0\.1 is not in the cert's list/) as string,
    });
    expect(directory.requests).toEqual([]);
  });

  it('names a proxy that is away', async () => {
    const port = await freePort();
    await expect(order({ proxy: `http://127.0.0.1:${port}` })).rejects.toMatchObject({
      message: expect.stringContaining(`the proxy 127.0.0.1:${port} can't be used`) as string,
    });
  });
});

describe('knsock serve --acme', () => {
  const away = 'http://127.0.0.1:1';
  const own = () => `http://127.0.0.1:${proxy.port}`;
  const flagsOf = async (): Promise<string[]> => {
    await writeFile(join(folder, 'directory.crt'), directory.ca);
    const acme = ['--acme', 'a.example', '--acme-dir', join(folder, 'acme'), '--acme-agree'];
    const at = ['--acme-directory', directory.url, '--acme-ca', join(folder, 'directory.crt')];
    const http = ['--acme-challenge', 'http-01', '--acme-http-port', String(await freePort())];
    return ['serve', ...acme, ...at, ...http, '--port', '0', '--json'];
  };

  it.each<[string, () => { env: Record<string, string>; flags?: string[] }, boolean]>([
    [
      "takes the proxy of --acme-proxy before the environment's",
      () => ({ env: { HTTPS_PROXY: away }, flags: ['--acme-proxy', own()] }),
      true,
    ],
    ['takes the proxy of HTTPS_PROXY', () => ({ env: { HTTPS_PROXY: own() } }), true],
    [
      'takes none for what NO_PROXY covers',
      () => ({ env: { HTTPS_PROXY: away, NO_PROXY: 'localhost' } }),
      false,
    ],
  ])('%s', async (_what, how, isUsed) => {
    const { env, flags = [] } = how();
    await using command = startKnsock([...(await flagsOf()), ...flags], { env });
    await command.says(/"event":"listening"/);
    expect(proxy.asked.length > 0).toBe(isUsed);
    expect(directory.orders).toHaveLength(1);
  });

  describe('with a proxy that takes TLS', () => {
    let company: Authority;
    beforeEach(async () => {
      company = await createAuthority({ commonName: 'Company' });
      await writeFile(join(folder, 'company.crt'), company.certificate);
    });
    const proxyFor = async (name: string): Promise<ConnectProxy> => {
      const { chain, key } = await company.issue({ kind: 'server', names: [name] });
      return startConnectProxy({ cert: chain, key });
    };
    const trusted = (): Record<string, string> => ({ NODE_EXTRA_CA_CERTS: join(folder, 'company.crt') });

    it.each(['localhost', '127.0.0.1'])('reaches the directory through the one at %s', async (host) => {
      await using secure = await proxyFor(host);
      const env = { ...trusted(), HTTPS_PROXY: `https://name:secret@${host}:${secure.port}` };
      await using command = startKnsock(await flagsOf(), { env });
      await command.says(/"event":"listening"/);
      expect(secure.asked.length).toBeGreaterThanOrEqual(directory.requests.length);
      expect(secure.asked[0]).toEqual({
        place: place(),
        authorization: `Basic ${Buffer.from('name:secret').toString('base64')}`,
      });
      expect(directory.orders).toHaveLength(1);
    });

    it.each<[string, string, () => Record<string, string>, RegExp]>([
      [
        'no CA that Node knows',
        'localhost',
        () => ({}),
        /unable to verify the first certificate|self-signed/,
      ],
      // The name that is asked for: a proxy is certified for its own name, and not by being the directory.
      ['that CA for another name', 'proxy.example', trusted, /does not match|not in the cert's altnames/],
    ])('shows nothing to one that is certified by %s', async (_what, name, env, why) => {
      await using secure = await proxyFor(name);
      const url = `https://name:secret@localhost:${secure.port}`;
      await using command = startKnsock(await flagsOf(), { env: { ...env(), HTTPS_PROXY: url } });
      const { code, stdout, stderr } = await command.ended();
      expect(code).toBe(7);
      expect(stdout).toMatch(why);
      expect(stdout).toContain(`the proxy localhost:${secure.port} can't be used`);
      expect(stdout).toContain('NODE_EXTRA_CA_CERTS');
      expect(stdout + stderr).not.toContain('secret');
      expect(secure.asked).toEqual([]);
    });
  });

  it('refuses a SOCKS proxy by name, before anything is asked', async () => {
    await using command = startKnsock(await flagsOf(), { env: { HTTPS_PROXY: 'socks5://127.0.0.1:1080' } });
    const { code, stdout } = await command.ended();
    expect(code).toBe(2);
    expect(stdout).toMatch(/--acme-proxy \(or HTTPS_PROXY\) must be .*; SOCKS \(socks5:\) isn't supported/);
    expect(directory.requests).toEqual([]);
  });

  it('warns of a password among its arguments, and shows it nowhere', async () => {
    await writeFile(join(folder, 'directory.crt'), directory.ca);
    proxy.interfere = (client) => client.end('HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n');
    const acme = ['--acme', 'a.example', '--acme-dir', join(folder, 'acme'), '--acme-agree'];
    const at = ['--acme-directory', directory.url, '--acme-ca', join(folder, 'directory.crt')];
    const flags = ['--port', '8443', '--acme-proxy', `http://name:secret@127.0.0.1:${proxy.port}`];
    await using command = startKnsock(['serve', ...acme, ...at, ...flags]);
    const { code, stdout, stderr } = await command.ended();
    expect(code).toBe(7);
    expect(stderr).toMatch(/warning: .*password.*HTTPS_PROXY/);
    expect(stderr).toContain('hint: It wants a name and a password: http://NAME:PASSWORD@HOST:PORT.');
    expect(stdout + stderr).not.toContain('secret');
  });
});
