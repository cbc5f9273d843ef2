import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import { answerer, dial, startProxy } from '../support/proxying.js';

let files: CertificateFolder;
let ca: string[];
let server: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  ca = ['--ca', files.at('ca.crt')];
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key'), ...ca];
});
afterAll(() => files[Symbol.asyncDispose]());

/** Node's own client, with our client certificate. */
async function reach(address: string): Promise<TLSSocket> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'client.crt', 'client.key'].map((name) => readFile(files.at(name))),
  );
  const place = { port: Number(address.split(':')[1]), host: '127.0.0.1', servername: 'localhost' };
  const socket = connect({ ...place, ca, cert, key, allowHalfOpen: true } as ConnectionOptions);
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

describe('knsock proxy in operation', () => {
  it('loads new files by itself and on SIGHUP, and keeps the old ones if the new are invalid', async () => {
    await using target = await answerer();
    const [cert, key] = [files.at('turn.crt'), files.at('turn.key')];
    await copyFile(files.at('server.crt'), cert);
    await copyFile(files.at('server.key'), key);
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      '--cert',
      cert,
      '--key',
      key,
      ...ca,
      '--allow-cn',
      'app',
    ]);
    const shown = async (): Promise<string> => {
      const socket = await reach(proxy.address);
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await shown();
    await writeFile(cert, 'garbage');
    proxy.running.kill('SIGHUP');
    await proxy.running.says(/"event":"failure".*reload kept the last good files/);
    expect(await shown()).toBe(before);
    const next = await files.authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
    await writeFile(key, next.key);
    await writeFile(cert, next.chain);
    // It needs no signal.
    await proxy.running.says(/"event":"credentials"/);
    expect(await shown()).not.toBe(before);
  });

  it('ends idle connections, and refuses clients over its limit', async () => {
    await using target = await answerer();
    const limits = ['--idle-timeout', '200ms', '--max-connections', '1'];
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      ...limits,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const first = await reach(proxy.address);
    const second = dial(proxy.address);
    await once(second.resume(), 'end');
    expect(second.bytesRead).toBe(0);
    await proxy.running.says(/"event":"refused-socket".*"limit":"connections"/);
    // What it carries may be incomplete, and mustn't look like a complete one.
    await expect(once(first.resume(), 'end')).rejects.toThrow(/SSL alert number/);
    second.destroy();
    await proxy.running.says(/"event":"close".*KNSOCK_IDLE_TIMEOUT/);
  });

  it('refuses plain clients over its limit, by their own address', async () => {
    await using target = await answerer();
    await using outer = await startProxy('server', ['--target', target.address, ...server, '--allow-all']);
    // One socket for both families, so that it sees the client's address as IPv4-mapped IPv6.
    const place = ['--listen', '[::]:0', '--dangerously-plain-network', '--max-connections', '1'];
    const client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), ...ca];
    await using inner = await startProxy('client', [...place, '--target', outer.address, ...client]);
    const first = dial(inner.address);
    await inner.running.says(/"event":"open".*"from":"127\.0\.0\.1:\d+"/);
    const second = dial(inner.address);
    await once(second.resume(), 'end');
    await inner.running.says(/"event":"refused-socket".*"from":"127\.0\.0\.1","limit":"connections"/);
    first.destroy();
    second.destroy();
  });

  it('counts its traffic for Prometheus', async () => {
    await using target = await answerer();
    await using outer = await startProxy('server', [
      '--target',
      target.address,
      '--status',
      '127.0.0.1:0',
      ...server,
      '--allow-cn',
      'app',
    ]);
    const socket = await reach(outer.address);
    socket.end('hello');
    expect(String(await buffer(socket))).toBe('got hello');
    await outer.running.says(/"event":"close"/);
    const [, status = ''] = await outer.running.says(/"status":"([^"]+)"/);
    const text = await (await fetch(`http://${status}/metrics`)).text();
    for (const line of [
      '# TYPE knsock_proxy_connections_total counter',
      'knsock_proxy_connections_total 1',
      'knsock_proxy_connections_open 0',
      `knsock_proxy_target_reached_total{target="${target.address}"} 1`,
      'knsock_server_admitted_total 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(await (await fetch(`http://${status}/health`)).text()).toBe('ok\n');
  });

  it('loads PKCS#12 files, whose passphrase may come from the environment', async () => {
    await using target = await answerer();
    const pfx = files.at('server.p12');
    const convert = [
      'certs',
      'convert',
      files.at('server.crt'),
      '--key',
      files.at('server.key'),
      '--to',
      'pkcs12',
      '--out',
      pfx,
    ];
    const made = await knsock(convert, { env: { KNSOCK_PASSPHRASE: 'secret' } });
    expect(made.stderr).toBe('');
    await files.write('passphrase', 'secret\n');
    const pair = ['--pfx', pfx, '--passphrase-file', files.at('passphrase')];
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      ...pair,
      ...ca,
      '--allow-all',
    ]);
    const socket = await reach(proxy.address);
    socket.end('hello');
    expect(String(await buffer(socket))).toBe('got hello');
  });

  it.each([
    ['client', ['--listen', '0.0.0.0:0', '--target', 'localhost:1'], 'would leave this machine unencrypted'],
    ['client', ['--listen', ':0'], 'a proxy needs a target'],
    [
      'server',
      ['--listen', ':0', '--target', ':1', '--allow-all', '--target-ca', 'x'],
      'for a target over TLS',
    ],
    [
      'client',
      ['--listen', ':0', '--target', ':1', '--proxy-protocol-from', 'somewhere'],
      "isn't an address or a network",
    ],
    [
      'server',
      ['--listen', ':0', '--target', ':1', '--allow-all', '--send-proxy', '3'],
      'Allowed choices are 1, 2',
    ],
  ])("doesn't start a %s %j", async (side, args, words) => {
    const refused = await knsock(['proxy', side, ...args]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(words);
  });
});
