import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { readProxyHeader, writeProxyHeader } from '@knsock/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import { answerer, dial, startProxy } from '../support/proxying.js';

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

/** A plain target that sends back the PROXY header it received, and then answers the bytes after it. */
async function headerReader() {
  const listener = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    const pieces: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    socket.on('end', () => {
      const bytes = Buffer.concat(pieces);
      const header = readProxyHeader(bytes);
      const tlvs = header?.info.tlvs.map(({ type, value }) => [type, value.toString('latin1')]);
      socket.end(JSON.stringify({ ...header?.info, tlvs, rest: String(bytes.subarray(header?.length)) }));
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, [Symbol.dispose]: () => listener.close() };
}

async function metrics(running: { says(pattern: RegExp): Promise<RegExpMatchArray> }): Promise<string> {
  const [, status = ''] = await running.says(/"status":"([^"]+)"/);
  return await (await fetch(`http://${status}/metrics`)).text();
}

describe('the targets of knsock proxy', () => {
  it("are set aside when they can't be reached, and used again once they answer", async () => {
    const first = await answerer();
    await using second = await answerer();
    const targets = ['--target', first.address, '--target', second.address, '--status', '127.0.0.1:0'];
    await using proxy = await startProxy('server', [...targets, ...server, '--allow-all']);
    await first[Symbol.asyncDispose]();
    const send = () => knsock(['send', proxy.address, '--framing', 'raw', ...client], { input: 'hello' });
    expect(await send()).toMatchObject({ stdout: 'got hello' });
    await proxy.running.says(/is set aside/);
    expect(await metrics(proxy.running)).toContain(`knsock_proxy_target_up{target="${first.address}"} 0\n`);
    await using back = await answerer({ port: first.port });
    await proxy.running.says(/"event":"target-up"/);
    expect(await metrics(proxy.running)).toContain(`knsock_proxy_target_up{target="${first.address}"} 1\n`);
    // In turn again: of the next two one is its.
    const before = back.connections();
    await send();
    await send();
    expect(back.connections() - before).toBe(1);
  });

  it('are connected to over verified TLS, if configured', async () => {
    await using target = await answerer();
    await using inner = await startProxy('server', [
      '--target',
      target.address,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const tls = ['--target', inner.address, '--target-tls', '--target-ca', files.at('ca.crt')];
    const shown = ['--target-cert', files.at('client.crt'), '--target-key', files.at('client.key')];
    await using outer = await startProxy('server', [...tls, ...shown, ...server, '--allow-all']);
    const sent = await knsock(['send', outer.address, '--framing', 'raw', ...client], { input: 'hello' });
    expect(sent).toMatchObject({ code: 0, stdout: 'got hello' });

    await using strict = await startProxy('server', [
      ...tls,
      ...shown,
      '--target-servername',
      'other.test',
      ...server,
      '--allow-all',
    ]);
    await knsock(['send', strict.address, '--framing', 'raw', ...client], { input: 'hello' });
    await strict.running.says(/KNSOCK_PEER_WRONG_NAME/);
    expect(target.connections()).toBe(1);
  });

  it('may be Unix sockets, and so may the place it listens on', async () => {
    await using target = await answerer({ path: files.at('target.sock') });
    await using outer = await startProxy('server', [
      '--target',
      target.address,
      '--listen',
      `unix:${files.at('tls.sock')}`,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const inner = [
      '--target',
      `unix:${files.at('tls.sock')}`,
      '--servername',
      'localhost',
      '--listen',
      `unix:${files.at('plain.sock')}`,
    ];
    await using plain = await startProxy('client', [...inner, ...client]);
    expect(outer.running).toBeDefined();
    const socket = dial(`unix:${files.at('plain.sock')}`);
    socket.end('hello');
    expect(String(await buffer(socket))).toBe('got hello');
    expect(plain.running).toBeDefined();
  });

  it('receive the client, its name and its protocol in the PROXY header', async () => {
    using target = await headerReader();
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      '--send-proxy',
      ...server,
      '--allow-cn',
      'app',
    ]);
    const { stdout } = await knsock(['send', proxy.address, '--framing', 'raw', ...client], {
      input: 'hello',
    });
    const told = JSON.parse(stdout) as Record<string, unknown>;
    expect(told).toMatchObject({ version: 2, source: { address: '127.0.0.1' }, rest: 'hello' });
    expect(told['destination']).toEqual({ address: '127.0.0.1', port: Number(proxy.address.split(':')[1]) });
    const tlvs = told['tlvs'] as [number, string][];
    expect(tlvs).toContainEqual([2, 'localhost']);
    const ssl = tlvs.find(([type]) => type === 0x20)?.[1] ?? '';
    // SSL and a certificate on this connection, verified (0); then version and common name.
    expect(ssl.slice(0, 5)).toBe('\x03\0\0\0\0');
    expect(ssl).toContain('\x21\0\x07TLSv1.3\x22\0\x03app');
  });

  it('receive the header of a load balancer before us, through both sides', async () => {
    using target = await headerReader();
    const trusted = ['--proxy-protocol-from', '127.0.0.0/8', '--send-proxy', '1'];
    await using outer = await startProxy('server', [
      '--target',
      target.address,
      ...trusted,
      ...server,
      '--allow-cn',
      'app',
    ]);
    await using inner = await startProxy('client', [
      '--target',
      outer.address,
      '--proxy-protocol-from',
      '127.0.0.1',
      '--send-proxy',
      ...client,
    ]);
    const socket = dial(inner.address);
    const [source, destination] = [
      { address: '192.0.2.7', port: 4_000 },
      { address: '192.0.2.1', port: 443 },
    ];
    const header = writeProxyHeader({ source, destination, version: 1 });
    socket.write(header.subarray(0, 9));
    socket.end(Buffer.concat([header.subarray(9), Buffer.from('hello')]));
    expect(JSON.parse(String(await buffer(socket)))).toMatchObject({
      version: 1,
      source,
      destination,
      rest: 'hello',
    });
    await outer.running.says(/"from":"192.0.2.7:4000"/);
  });
});
