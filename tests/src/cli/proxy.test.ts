import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import { answerer, dial, startProxy as start } from '../support/proxying.js';

let files: CertificateFolder;
let server: string[];
let client: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  const ca = ['--ca', files.at('ca.crt')];
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key'), ...ca];
  client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), ...ca];
});
afterAll(() => files[Symbol.asyncDispose]());

describe('knsock proxy', () => {
  it('carries bytes and half-closes from a plain client to a plain server, over mutual TLS', async () => {
    await using target = await answerer();
    await using outer = await start('server', ['--target', target.address, ...server, '--allow-cn', 'app']);
    await using inner = await start('client', ['--target', outer.address, ...client]);
    const input = randomBytes(5_000_000);
    const socket = dial(inner.address);
    socket.end(input);
    // The target answers only once it has seen the end of its input.
    expect((await buffer(socket)).equals(Buffer.concat([Buffer.from('got '), input]))).toBe(true);
  });

  it('refuses clients that no rule admits', async () => {
    await using target = await answerer();
    await using outer = await start('server', ['--target', target.address, ...server, '--allow-cn', 'other']);
    const send = ['send', outer.address, 'x', '--framing', 'raw', ...client];
    const refused = await knsock(send);
    expect(refused).toMatchObject({ code: 56, stdout: '' });
    await outer.running.says(/KNSOCK_PEER_NOT_ALLOWED/);
    expect(target.connections()).toBe(0);
  });

  it('reports why its own certificate is refused, and what to do', async () => {
    await using target = await answerer();
    await using outer = await start('server', ['--target', target.address, ...server, '--allow-cn', 'other']);
    await using inner = await start('client', ['--target', outer.address, ...client]);
    const socket = dial(inner.address);
    socket.write('hello');
    expect(await buffer(socket).catch(() => 'cut')).toSatisfy(
      (got: Buffer | string) => got === 'cut' || got.length === 0,
    );
    const [line] = await inner.running.says(/^.*"event":"close".*$/m);
    expect(JSON.parse(line)).toMatchObject({
      code: 'KNSOCK_CONNECTION_ENDED_EARLY',
      error: expect.stringContaining('probably it refused our certificate (CN=app)') as string,
      hint: expect.stringContaining('--cert client.crt --key client.key') as string,
    });
  });

  it('logs clients over its limit, on its plain side too', async () => {
    await using target = await answerer();
    await using outer = await start('server', ['--target', target.address, ...server, '--allow-all']);
    await using inner = await start('client', [
      '--target',
      outer.address,
      ...client,
      '--max-connections',
      '1',
    ]);
    const first = dial(inner.address);
    first.write('x');
    await inner.running.says(/"event":"open"/);
    await buffer(dial(inner.address)).catch(() => undefined);
    await inner.running.says(/"event":"refused-socket".*"limit":"connections"/);
    first.destroy();
  });

  it('uses the next target if one is down', async () => {
    const down = await answerer();
    await down[Symbol.asyncDispose]();
    await using up = await answerer();
    const targets = ['--target', down.address, '--target', up.address];
    await using outer = await start('server', [...targets, ...server, '--allow-all']);
    for (let times = 0; times < 2; times += 1) {
      const sent = await knsock(['send', outer.address, '--framing', 'raw', ...client], { input: 'hello' });
      expect(sent).toMatchObject({ code: 0, stdout: 'got hello' });
    }
  });

  it('lets open connections end on SIGTERM', async () => {
    await using target = await answerer();
    await using outer = await start('server', ['--target', target.address, ...server, '--allow-all']);
    await using inner = await start('client', ['--target', outer.address, ...client]);
    const socket = dial(inner.address);
    socket.write('half ');
    await outer.running.says(/"event":"open"/);
    for (const { running } of [outer, inner]) {
      running.kill('SIGTERM');
      await running.says(/"event":"draining"/);
    }
    socket.end('whole');
    expect(String(await buffer(socket))).toBe('got half whole');
    expect((await outer.running.ended()).code).toBe(0);
    expect((await inner.running.ended()).code).toBe(0);
  });

  it.each([
    ['without a rule', ['--target', '127.0.0.1:1'], 'no client is admitted'],
    ['without a target', ['--allow-all'], 'a proxy needs a target'],
    [
      'with a plain target elsewhere',
      ['--target', '192.0.2.1:1', '--allow-all'],
      'would leave this machine unencrypted',
    ],
  ])("doesn't start %s", async (_, args, words) => {
    const refused = await knsock(['proxy', 'server', '--listen', '127.0.0.1:0', ...server, ...args]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(words);
  });
});
