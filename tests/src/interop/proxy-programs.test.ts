import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { answerer, dial, startProxy } from '../support/proxying.js';
import { startProgram } from './program.js';
import { needsTools, toolPath } from './tools.js';

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

/** Runs a program over the bytes, and tells what it printed. */
async function pipeThrough(program: string, args: readonly string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn(toolPath(program) ?? program, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => undefined).end(input);
  return await buffer(child.stdout);
}

/** What a plain client gets back for its bytes. */
async function ask(address: string, input: Uint8Array): Promise<Buffer> {
  const socket = dial(address);
  socket.end(input);
  return await buffer(socket);
}

const portOf = (address: string): string => address.split(':')[1] ?? '';
const got = (input: Buffer): string => digest(Buffer.concat([Buffer.from('got '), input]));
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const pem = (...names: string[]): string =>
  names.map((name) => readFileSync(files.at(name), 'utf8')).join('');

describe('knsock proxy and other programs', () => {
  it('answers socat over TLS, half-closed', async (context) => {
    needsTools(context, 'socat');
    await using target = await answerer();
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const identity = `cert=${files.at('client.crt')},key=${files.at('client.key')},cafile=${files.at('ca.crt')}`;
    const place = `OPENSSL:localhost:${portOf(proxy.address)},pf=ip4,commonname=localhost,${identity}`;
    const input = randomBytes(300_000);
    const answer = await pipeThrough('socat', ['-t', '20', '-', place], input);
    expect(digest(answer)).toBe(got(input));
  });

  it("reaches socat's TLS listener", async (context) => {
    needsTools(context, 'socat');
    await using target = await answerer();
    const pair = await files.write('pair.pem', pem('server.crt', 'server.key'));
    await using socat = await startProgram('socat', (port) => [
      '-t20',
      `OPENSSL-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,cert=${pair},cafile=${files.at('ca.crt')},verify=1`,
      `TCP:${target.address}`,
    ]);
    await using proxy = await startProxy('client', ['--target', `localhost:${socat.port}`, ...client]);
    const input = randomBytes(200_000);
    expect(digest(await ask(proxy.address, input))).toBe(got(input));
  });

  it('serves ncat with TLS', async (context) => {
    needsTools(context, 'ncat');
    await using target = await answerer();
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const identity = ['--ssl-cert', files.at('client.crt'), '--ssl-key', files.at('client.key')];
    const verify = ['--ssl-verify', '--ssl-trustfile', files.at('ca.crt')];
    const args = ['-4', '--ssl', ...identity, ...verify, 'localhost', portOf(proxy.address)];
    expect(String(await pipeThrough('ncat', args, Buffer.from('hello')))).toBe('got hello');
  });

  it('believes HAProxy about the client, by PROXY v2, and passes it on', async (context) => {
    needsTools(context, 'haproxy');
    await using target = await answerer();
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      '--proxy-protocol-from',
      '127.0.0.1',
      '--send-proxy',
      ...server,
      '--allow-cn',
      'app',
    ]);
    const config = (port: number): Promise<string> =>
      files.write(
        'haproxy.cfg',
        `defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen in
  bind 127.0.0.1:${port}
  server proxy 127.0.0.1:${portOf(proxy.address)} send-proxy-v2
`,
      );
    await using haproxy = await startProgram('haproxy', async (port) => ['-db', '-f', await config(port)]);
    const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((name) =>
      readFileSync(files.at(name)),
    );
    const place = {
      port: haproxy.port,
      host: '127.0.0.1',
      localAddress: '127.0.0.9',
      servername: 'localhost',
    };
    const socket = connectTls({ ...place, ca, cert, key } as ConnectionOptions);
    socket.write('hello');
    await proxy.running.says(/"event":"open".*"from":"127\.0\.0\.9:\d+"/);
    socket.destroy();
  });

  it('tells HAProxy of the client by PROXY v2, before TLS begins', async (context) => {
    needsTools(context, 'haproxy');
    const pair = await files.write('haproxy.pem', pem('server.crt', 'server.key'));
    const config = (port: number): Promise<string> =>
      files.write(
        'haproxy-tls.cfg',
        `defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend in
  bind 127.0.0.1:${port} accept-proxy ssl crt ${pair} ca-file ${files.at('ca.crt')} verify required
  http-request return status 200 content-type text/plain lf-string "%[src] as %{+Q}[ssl_c_s_dn(cn)]"
`,
      );
    await using haproxy = await startProgram('haproxy', async (port) => ['-db', '-f', await config(port)]);
    await using proxy = await startProxy('client', [
      '--target',
      `localhost:${haproxy.port}`,
      '--send-proxy',
      '--proxy-protocol-from',
      '127.0.0.1',
      ...client,
    ]);
    const request = 'PROXY TCP4 192.0.2.7 192.0.2.1 4000 443\r\nGET / HTTP/1.0\r\n\r\n';
    expect(String(await ask(proxy.address, Buffer.from(request)))).toMatch(
      /\r\n\r\n192\.0\.2\.7 as "?app"?$/,
    );
  });

  it("goes through nginx' TLS in both directions", async (context) => {
    needsTools(context, 'nginx');
    await using target = await answerer();
    await using proxy = await startProxy('server', [
      '--target',
      target.address,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const config = (port: number): Promise<string> =>
      files.write(
        'nginx.conf',
        `daemon off; pid ${files.at('nginx.pid')}; error_log stderr; worker_processes 1; load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events { worker_connections 64; }
stream { server {
  listen 127.0.0.1:${port} ssl; proxy_half_close on;
  ssl_certificate ${files.at('server.crt')}; ssl_certificate_key ${files.at('server.key')};
  ssl_client_certificate ${files.at('ca.crt')}; ssl_verify_client on;
  proxy_pass 127.0.0.1:${portOf(proxy.address)}; proxy_ssl on; proxy_ssl_name localhost; proxy_ssl_verify on;
  proxy_ssl_trusted_certificate ${files.at('ca.crt')};
  proxy_ssl_certificate ${files.at('client.crt')}; proxy_ssl_certificate_key ${files.at('client.key')};
} }
`,
      );
    await using nginx = await startProgram('nginx', async (port) => [
      '-c',
      await config(port),
      '-p',
      files.path,
    ]);
    await using inner = await startProxy('client', ['--target', `localhost:${nginx.port}`, ...client]);
    const input = randomBytes(500_000);
    expect(digest(await ask(inner.address, input))).toBe(got(input));
  });
});
