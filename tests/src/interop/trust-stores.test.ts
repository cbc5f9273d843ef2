/** `knsock certs trust`: a development CA in the trust stores of Debian, browsers and Java, and what those make of it. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { openStore } from '@knsock/certs';
import { createCredentials } from '@knsock/core';
import { serveHttp } from '@knsock/core/http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, knsockCommand } from '../support/command.js';
import { needsTools, toolPath } from './tools.js';

const run = promisify(execFile);

let home: string;
let env: Record<string, string>;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'knsock-trust-'));
  env = { HOME: home, KNSOCK_DEV_DIR: path.join(home, 'development') };
});
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 5 }));

const trust = (...args: string[]) => knsock(['certs', 'trust', ...args], { env });

describe('Chromium', () => {
  it('shows a page of the development CA once that is installed, and no longer than that', async (context) => {
    needsTools(context, 'chromium', 'certutil');
    expect((await trust('status', '--into', 'nss')).stdout).toContain('no development CA');
    // The CA must be there before it can be distrusted.
    expect((await trust('install', '--into', 'nss')).stdout).toMatch(/^ {2}nss +trusted/m);
    expect(await trust('uninstall', '--into', 'nss')).toMatchObject({ code: 0 });
    await using server = await servePage();
    const url = `https://localhost:${'port' in server.address ? server.address.port : 0}/`;
    expect(await shown(url)).not.toContain('it is trusted');
    const installed = await trust('install', '--into', 'nss', '--json');
    expect(JSON.parse(installed.stdout)).toMatchObject({
      ca: `CN=Development CA ${`${userInfo().username}@${hostname()}`.slice(0, 38)}`,
      stores: [{ store: 'nss', state: 'trusted' }],
    });
    expect(await shown(url)).toContain('it is trusted');
    expect(await trust('install', '--into', 'nss')).toMatchObject({ code: 0 }); // again: nothing to do
    expect(await trust('status', '--into', 'nss')).toMatchObject({ code: 0 });
    await trust('uninstall', '--into', 'nss');
    expect(await trust('status', '--into', 'nss')).toMatchObject({ code: 3 });
    expect(await shown(url)).not.toContain('it is trusted');
  });
});

describe("the store of Debian, and Java's", () => {
  it('hold the CA from install to uninstall', { timeout: 180_000 }, async (context) => {
    needsTools(context, 'update-ca-certificates', 'keytool', 'openssl');
    const unshared = await run('unshare', ['-m', 'true']).catch(() => undefined);
    if (unshared === undefined) return context.skip('mount namespaces need root');
    await knsock(['certs', 'init', path.join(home, 'certs')]);
    await mkdir(path.join(home, 'anchors'));
    const { stdout } = await run('unshare', ['-m', 'sh', '-ec', IN_COPIES], {
      env: { ...process.env, ...env, K: knsockCommand.map((word) => `'${word}'`).join(' ') },
      timeout: 170_000,
    });
    const said = stdout.split('\n').filter((line) => /^(openssl|keytool|warned|status)/.test(line));
    expect(said).toEqual([
      'openssl no',
      'warned of a CA without name constraints',
      'openssl yes',
      'keytool yes',
      'status 0',
      'openssl no',
      'keytool no',
      'status 3',
    ]);
  });

  it("are refused by name where they can't be changed", async () => {
    const none = await knsock(['certs', 'trust', 'install', '--into', 'nss'], {
      env: { ...env, PATH: '/nowhere' },
    });
    expect(none).toMatchObject({ code: 23 });
    expect(none.stderr).toContain("certutil isn't installed");
    expect((await trust('install', '--into', 'safe')).stderr).toContain('no trust store');
    const leaf = path.join(home, 'leaf.crt');
    await knsock(['certs', 'self-signed', 'a.test', '--out', leaf.slice(0, -4)]);
    expect((await trust('install', '--ca', leaf)).stderr).toContain('holds no root certificate');
  });
});

/** With copies of the machine's stores in their places, for this shell alone. */
const IN_COPIES = `
cp -a /etc/ssl/certs "$HOME/system"
mount --bind "$HOME/system" /etc/ssl/certs
mkdir -p /usr/local/share/ca-certificates
mount --bind "$HOME/anchors" /usr/local/share/ca-certificates
ca="--ca $HOME/certs/ca/root.crt --into system --into java"
look() {
  openssl verify "$HOME/certs/issued/server.crt" >/dev/null 2>&1 && echo openssl yes || echo openssl no
}
java() {
  keytool -list -cacerts -storepass changeit 2>/dev/null | grep -q knsock- && echo keytool yes || echo keytool no
}
look
eval "$K certs trust install $ca" 2>&1 | grep -q 'no name constraints' && echo 'warned of a CA without name constraints'
look
java
status=0; eval "$K certs trust status $ca" >/dev/null || status=$?; echo "status $status"
eval "$K certs trust uninstall $ca" >/dev/null
look
java
status=0; eval "$K certs trust status $ca" >/dev/null || status=$?; echo "status $status"
`;

async function servePage() {
  const store = await openStore(path.join(home, 'development'));
  const authority = await store.authority('development');
  const { chain, key } = await authority.issue({ kind: 'server', names: ['localhost'], file: false });
  const credentials = createCredentials({ cert: chain, key });
  return serveHttp({ port: 0, host: '127.0.0.1', credentials, drainTimeout: 1_000 }, (_, response) => {
    response.setHeader('Content-Type', 'text/html').end('<p>it is trusted</p>');
  });
}

/** What a browser shows of a page. */
async function shown(url: string): Promise<string> {
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
  const profile = `--user-data-dir=${path.join(home, 'profile')}`;
  const { stdout } = await run(toolPath('chromium') as string, [...flags, profile, '--dump-dom', url], {
    env: { ...process.env, HOME: home },
    timeout: 50_000,
  });
  return stdout;
}
