/** Every command that loads credentials prints warnings about doubtful ones. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createAuthority } from '@knsock/certs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startKnsock, startServe } from '../support/command.js';
import { severalKeys } from '../support/several-keys.js';

let files: CertificateFolder;
let odd: string[];
let pfx: string;
beforeAll(async () => {
  files = await createCertificateFolder();
  const [chain, key] = [await text('server.crt'), await text('server.key')];
  const stranger = await createAuthority({ commonName: 'Stranger' });
  odd = ['--cert', await files.write('odd.crt', chain + stranger.root), '--key', files.at('server.key')];
  const other = { chain: await text('client.crt'), key: await text('client.key') };
  pfx = await files.write('two.p12', severalKeys({ client: other, server: { chain, key } }));
});
afterAll(() => files[Symbol.asyncDispose]());

const text = (name: string): Promise<string> => readFile(files.at(name), 'utf8');
const STRANGER = /CN=Stranger\).*issued none of the others/;

describe('a warning about credentials', () => {
  it('is logged once by a server, and again if a renewal brings another', async () => {
    const [cert, key] = [files.at('live.crt'), files.at('server.key')];
    await copyFile(files.at('server.crt'), cert);
    const { serve } = await startServe(['--cert', cert, '--key', key]);
    await using _ = serve;
    expect(serve.output.toString()).not.toContain('"event":"warning"');
    await copyFile(files.at('odd.crt'), cert);
    serve.kill('SIGHUP');
    await serve.says(/"event":"reloaded"/);
    await serve.says(STRANGER);
    // The same again, by another date.
    await copyFile(files.at('odd.crt'), cert);
    serve.kill('SIGHUP');
    await serve.says(/(?:"event":"reloaded"[^]*){2}/);
    expect(serve.output.toString().match(/"event":"warning"/g)).toHaveLength(1);
    await writeFile(cert, (await text('odd.crt')) + (await text('server.crt')));
    serve.kill('SIGHUP');
    await serve.says(/stands there twice/);
  });

  it('is printed for people on standard error', async () => {
    const args = ['serve', '--host', '127.0.0.1', '--port', '0', ...odd];
    await using serve = startKnsock(args);
    await serve.says(/listening/);
    serve.kill('SIGTERM');
    const { stderr, stdout } = await serve.ended();
    expect(stderr).toMatch(/warning: .*CN=Stranger/);
    expect(stdout).toBe('');
  });

  it.each([
    ['proxy server', ['--target', '127.0.0.1:1', '--allow-all']],
    ['proxy client', ['--target', '127.0.0.1:1']],
  ])('is printed by %s', async (command, args) => {
    const listen = ['--listen', '127.0.0.1:0', '--json'];
    await using proxy = startKnsock([...command.split(' '), ...listen, ...args, ...odd]);
    await proxy.says(STRANGER);
  });

  it('is printed by run-ssl-tcp-server and send-ssl-tcp', async () => {
    const server = ['run-ssl-tcp-server', '0', files.at('odd.crt'), files.at('server.key')];
    await using running = startKnsock([...server, '--host', '127.0.0.1']);
    await running.says(STRANGER);
    const own = ['--certfile', files.at('odd.crt'), '--keyfile', files.at('server.key')];
    const { stderr } = await knsock(['send-ssl-tcp', '127.0.0.1', '1', 'x', ...own]);
    expect(stderr).toMatch(STRANGER);
  });
});

describe('a PKCS#12 file with several keys', () => {
  it('is served with the named key, or with a warning about the others if none is named', async () => {
    const unnamed = await knsock(['serve', '--host', '127.0.0.1', '--port', '0', '--pfx', pfx]);
    expect(unnamed.stderr).toContain('has 2 keys ("client", "server"); "client" is used');
    const { serve, address } = await startServe(['--pfx', pfx, '--pfx-key-name', 'server']);
    await using _ = serve;
    const client = ['--pfx', pfx, '--ca', files.at('ca.crt')];
    const sent = await knsock(['send', address, 'hello'], {
      env: { KNSOCK_PFX: pfx, KNSOCK_PFX_KEY_NAME: 'client', KNSOCK_CA: files.at('ca.crt') },
    });
    expect(sent).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
    const wrong = await knsock(['send', address, 'hello', ...client, '--pfx-key-name', 'nobody']);
    expect(wrong.stderr).toContain('"nobody"');
  });

  it('is checked by the named key', async () => {
    const args = ['check', pfx, '--ca', files.at('ca.crt'), '--json', '--pfx-key-name', 'server'];
    const { stdout, code } = await knsock(args);
    expect([code, stdout]).toEqual([0, expect.stringContaining('"verification"')]);
    const { stdout: refused } = await knsock([...args.slice(0, -1), 'nobody']);
    expect(refused).toContain('nobody');
  });

  it('is ignored if certificate and key are given as flags', async () => {
    const cert = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
    const { serve } = await startServe(cert, { env: { KNSOCK_PFX: pfx, KNSOCK_PFX_KEY_NAME: 'client' } });
    await serve[Symbol.asyncDispose]();
  });
});
