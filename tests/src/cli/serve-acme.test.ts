/** What `knsock serve --acme` refuses before it asks a CA; with one, see `interop/acme-serve.test.ts`. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDirectory } from '../certs/acme-directory.js';
import { freePort } from '../interop/program.js';
import { knsock, startKnsock } from '../support/command.js';

let folder: string;
let flags: string[];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-serve-acme-'));
  const directory = `https://127.0.0.1:${await freePort()}/directory`;
  flags = [
    'serve',
    '--acme',
    'a.example',
    '--acme-dir',
    path.join(folder, 'acme'),
    '--acme-directory',
    directory,
  ];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const serve = (...more: string[]) =>
  knsock([...flags, ...(more.includes('--port') ? [] : ['--port', '8443']), ...more], { cwd: folder });

describe('knsock serve --acme', () => {
  it.each([
    [['--cert', 'a.crt'], "--acme gets its own certificate and can't be combined with --cert"],
    [['--pfx', 'a.p12'], "can't be combined with --pfx"],
    [['--pfx-key-name', 'a'], "can't be combined with --pfx-key-name"],
    [['--dev'], "can't be combined with --dev"],
    [['--acme-staging'], 'cannot be used with option'],
    [['--port', '0'], "tls-alpn-01 is answered on the server's own port"],
    [['--acme-challenge', 'dns-01'], 'tls-alpn-01, http-01'],
    [['--acme-ca', 'nowhere.crt'], "--acme-ca nowhere.crt can't be read"],
  ])('with %j is refused, and asks nobody', async (more, words) => {
    const { stderr, code } = await serve('--acme-agree', ...more);
    expect(stderr).toContain(words);
    expect(code).not.toBe(0);
    expect(await readdir(folder)).not.toContain('acme');
  });

  it.each([
    ['https://localhost:8443', 'Write the name alone'],
    ['*.example.com', 'certbot or lego'],
    ['localhost', 'no public CA certifies "localhost"'],
    ['db', 'a private CA that speaks ACME'],
    ['192.168.1.1', 'no public CA certifies "192.168.1.1"'],
  ])("for %s is refused with what to do, before Let's Encrypt is asked", async (name, words) => {
    const own = path.join(folder, 'unused');
    const staging = ['--acme', name, '--acme-dir', own, '--acme-staging', '--acme-agree', '--port', '8443'];
    const { stderr, code } = await knsock(['serve', ...staging]);
    expect(stderr).toContain(words);
    expect(stderr).toContain('KNSOCK_CERTIFICATE_NAME');
    expect(code).not.toBe(0);
    expect(await readdir(folder)).not.toContain('unused');
  });

  it('without a name is refused', async () => {
    const { stderr, code } = await knsock(['serve', '--acme-staging', '--cert', 'a.crt', '--key', 'a.key']);
    expect(stderr).toContain('--acme-staging goes with --acme NAME');
    expect(code).toBe(2);
  });

  it("takes precedence over the environment's files, and explains a directory that doesn't answer", async () => {
    const env = { KNSOCK_CERT: 'nowhere.crt', KNSOCK_KEY: 'nowhere.key' };
    const { stderr, code } = await knsock([...flags, '--port', '8443', '--acme-agree'], { env });
    expect(stderr).toContain('KNSOCK_ACME_DIRECTORY');
    expect(stderr).not.toContain('nowhere');
    expect(code).toBe(7);
  });

  it('says that getting the certificate failed, not renewing, as long as there is none', async () => {
    await using server = await startDirectory();
    const own = path.join(folder, 'limited');
    const ca = path.join(folder, 'directory.crt');
    await writeFile(ca, server.ca);
    server.interfere = ({ what }) => {
      if (what !== 'new-order') return undefined;
      // So that the limit can't be kept for the next start, which is reported beside it.
      rmSync(own, { recursive: true });
      const type = 'urn:ietf:params:acme:error:rateLimited';
      const body = JSON.stringify({ type, detail: 'enough' });
      return { status: 429, headers: { 'retry-after': '3600' }, body };
    };
    const { stderr, code } = await knsock([
      ...['serve', '--acme', 'a.example', '--acme-dir', own, '--acme-directory', server.url, '--acme-ca', ca],
      ...['--acme-agree', '--acme-challenge', 'http-01', '--port', '0'],
    ]);
    expect(stderr).toContain('getting the certificate failed: there is no');
    expect(stderr).not.toContain('renewing');
    expect({ code, stderr }).toMatchObject({ code: 22, stderr: expect.stringContaining('enough') as string });
  });

  it('goes on with its order after a SIGHUP', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const own = ['--acme-dir', path.join(folder, 'hung-up'), '--port', '8443', '--acme-agree'];
    const at = ['--acme-directory', `https://127.0.0.1:${port}/directory`];
    await using running = startKnsock(['serve', '--acme', 'a.example', ...own, ...at]);
    const [socket] = (await once(silent, 'connection')) as [Socket];
    socket.on('error', () => undefined);
    running.kill('SIGHUP');
    silent.close();
    socket.destroy();
    expect(await running.ended()).toMatchObject({
      code: 7,
      stderr: expect.stringContaining('KNSOCK_ACME_DIRECTORY') as unknown,
    });
  });
});
