import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { parseCertificate } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startKnsock, startServe, type Running } from '../support/command.js';

let files: CertificateFolder;
let server: string[];
let ca: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
  ca = ['--ca', files.at('ca.crt')];
});
afterAll(() => files[Symbol.asyncDispose]());

it.each([
  ['serve', '--port', '0'],
  ['proxy', 'server', '--listen', '127.0.0.1:0', '--target', '127.0.0.1:1', '--allow-all'],
])('refuses a revocation list where no client is asked for a certificate: %s', async (...command) => {
  const refused = await knsock([...command, ...server, '--crl', files.at('ca.crl')]);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--ca') as string });
});

it("explains a client that leaves during the handshake by its distrust, not by a server's limits", async () => {
  const { serve, address } = await startServe(server);
  await using _ = serve;
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1');
  await once(socket, 'connect');
  socket.end(Buffer.of(0x16, 0x03, 0x01));
  const [line = ''] = await serve.says(/\{[^\n]*"event":"failure"[^\n]*/);
  expect(line).toContain("doesn't trust this server's certificate");
  socket.destroy();
});

describe('knsock serve --exec', () => {
  it('runs a process for each connection and carries its bytes both ways', async () => {
    const { serve, address } = await startServe([...server, '--exec', 'tr a-z A-Z']);
    await using _ = serve;
    const input = randomBytes(200_000).toString('hex');
    const sent = await Promise.all(
      ['', 'x'].map((mark) => knsock(['send', address, '--framing', 'raw', ...ca], { input: input + mark })),
    );
    expect(sent.map(({ stdout }) => stdout === input.toUpperCase())).toEqual([true, false]);
    expect(sent[1]?.stdout).toBe(`${input.toUpperCase()}X`);
  });

  it("passes the peer's identity to the process", async () => {
    const args = [...server, ...ca, '--allow-cn', 'app', '--exec', 'echo $KNSOCK_PEER_COMMON_NAME'];
    const { serve, address } = await startServe(args);
    await using _ = serve;
    const client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), ...ca];
    const send = ['send', address, '--framing', 'raw', ...client];
    expect(await knsock(send)).toMatchObject({ code: 0, stdout: 'app\n' });
  });

  it('hides the passphrases of our keys from the process', async () => {
    const env = { KNSOCK_PASSPHRASE: 'open sesame', KNSOCK_STORE_PASSPHRASE: 'and this' };
    const { serve, address } = await startServe([...server, '--exec', 'env'], { env });
    await using _ = serve;
    const { stdout } = await knsock(['send', address, '--framing', 'raw', ...ca]);
    expect(stdout).toContain('KNSOCK_TLS_VERSION=TLSv1.3');
    expect(stdout).not.toMatch(/PASSPHRASE|sesame/);
  });

  // A surviving child keeps the inherited standard error open, and the server only counts as ended once that is closed.
  it('ends the process, and all its children, with its connection', async () => {
    const args = [...server, '--idle-timeout', '300', '--exec', 'sleep 1000 | sleep 1000'];
    const { serve, address } = await startServe(args);
    await using _ = serve;
    await using client = startKnsock(['send', address, '--framing', 'raw', ...ca]);
    await serve.says(/"event":"exit".*"signal":"SIGTERM"/);
    await client.ended();
    serve.kill('SIGTERM');
    expect((await serve.ended()).code).toBe(0);
  });

  it('leaves no process behind when it is ended at once', async () => {
    const stubborn = `trap '' TERM; echo ready; while :; do sleep 1; done`;
    const { serve, address } = await startServe([...server, '--exec', stubborn]);
    await using _ = serve;
    await using client = startKnsock(['send', address, '--framing', 'raw', ...ca]);
    await client.says(/ready/);
    serve.kill('SIGTERM');
    await serve.says(/"event":"draining"/);
    serve.kill('SIGTERM');
    expect((await serve.ended()).code).toBe(143);
  });

  it('carries all output of a process that reads nothing', async () => {
    const { serve, address } = await startServe([...server, '--exec', 'exec 0<&-; sleep 0.2; seq 100000']);
    await using _ = serve;
    const input = 'x'.repeat(1_000_000);
    const { code, stdout } = await knsock(['send', address, '--framing', 'raw', ...ca], { input });
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').at(-1)).toBe('100000');
  });

  it('runs no more processes at once than it may', async () => {
    const { serve, address } = await startServe([
      ...server,
      '--max-connections',
      '1',
      '--exec',
      'echo ready; cat',
    ]);
    await using _ = serve;
    const client = startKnsock(['send', address, '--framing', 'raw', ...ca]);
    await client.says(/ready/);
    const refused = await knsock(['send', address, '--framing', 'raw', ...ca]);
    expect(refused.code).not.toBe(0);
    client.stdin.end('bye');
    expect((await client.ended()).stdout).toBe('ready\nbye');
    expect(await knsock(['send', address, '--framing', 'raw', ...ca])).toMatchObject({
      code: 0,
      stdout: 'ready\n',
    });
  });

  it('logs how the process ended', async () => {
    const { serve, address } = await startServe([...server, '--exec', 'exit 7']);
    await using _ = serve;
    await knsock(['send', address, '--framing', 'raw', ...ca]);
    await serve.says(/"event":"exit","id":1,"code":7,"signal":null/);
  });

  it('speaks raw bytes and nothing else', async () => {
    const refused = await knsock(['serve', ...server, '--exec', 'cat', '--framing', 'lines']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
  });

  it('refuses a limit of messages, which raw bytes have none of', async () => {
    const refused = await knsock(['serve', ...server, '--exec', 'cat', '--max-message', '1MiB']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--exec carries bytes, and --max-message limits messages');
  });
});

describe('knsock serve --handler', () => {
  it('answers by the default export of a module', async () => {
    const handler = await files.write('handler.mjs', 'export default ({ payload }) => `got ${payload}`;');
    const { serve, address } = await startServe([...server, '--handler', handler]);
    await using _ = serve;
    expect(await knsock(['send', address, 'one', ...ca])).toMatchObject({ code: 0, stdout: 'got one\n' });
  });

  it('logs why it failed, and tells the peer only that it did', async () => {
    const handler = await files.write(
      'fails.mjs',
      `export default () => { throw new Error('secret reason'); };`,
    );
    const { serve, address } = await startServe([...server, '--handler', handler]);
    await using _ = serve;
    const sent = await knsock(['send', address, 'one', ...ca]);
    expect(sent.code).toBe(22);
    expect(sent.stderr).not.toContain('secret');
    await serve.says(/"event":"handler-failure","id":1,"error":"[^"]*secret reason"/);
  });

  it('reports what an unusable file lacks', async () => {
    const empty = await files.write('empty.mjs', 'export const other = 1;');
    const refused = await knsock(['serve', ...server, '--handler', empty]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('no function as its default export');
  });
});

describe('refused clients', () => {
  it('are logged, many at once in few lines', async () => {
    const { serve, address } = await startServe([...server, '--deny-from', '127.0.0.1']);
    await using _ = serve;
    const port = Number(address.split(':')[1]);
    for (let times = 0; times < 20; times += 1) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'close');
    }
    await serve.says(/"event":"refused-socket","from":"127.0.0.1","limit":"denied","more":0/);
    serve.kill('SIGTERM');
    const { stdout } = await serve.ended();
    const told = stdout.split('\n').flatMap((line) => /refused-socket.*"more":(\d+)/.exec(line)?.[1] ?? []);
    expect(told.length).toBeLessThan(20);
    expect(told.reduce((sum, more) => sum + 1 + Number(more), 0)).toBe(20);
  });
});

describe("a client's address", () => {
  // By default one socket listens for both families, and reports IPv4 addresses as IPv4-mapped IPv6.
  it('is the same whether it is accepted, or refused before or after the handshake', async () => {
    const limit = ['--max-connections-per-address', '1'];
    await using serve = startKnsock(['serve', '--port', '0', '--json', ...server, ...ca, ...limit]);
    const [, port = ''] = await serve.says(/"event":"listening".*"port":(\d+)/);
    const send = ['send', `127.0.0.1:${port}`, ...ca, '--servername', 'localhost'];
    const client = ['--cert', files.at('client.crt'), '--key', files.at('client.key')];
    expect((await knsock([...send, 'hello'])).code).toBe(67);
    await serve.says(/"event":"failure","from":"127\.0\.0\.1:\d+"/);
    await using talker = startKnsock([...send, ...client]);
    await serve.says(/"event":"open".*"from":"127\.0\.0\.1:\d+"/);
    expect((await knsock([...send, ...client, 'hello'])).code).not.toBe(0);
    await serve.says(/"event":"refused-socket","from":"127\.0\.0\.1","limit":"address"/);
    talker.stdin.end();
    expect((await talker.ended()).code).toBe(0);
  });
});

describe('knsock serve --dev', () => {
  it('makes certificates once, and prints how to connect', async () => {
    const env = { KNSOCK_DEV_DIR: files.at('development') };
    const made: number[] = [];
    for (let times = 0; times < 2; times += 1) {
      const { serve, address } = await startServe(['--dev'], { env });
      await using _ = serve;
      const [, printed = ''] = await serve.says(/"connect":"knsock send localhost:\d+ hello ([^"]*)"/);
      expect(await knsock(['send', address, 'hello', ...printed.split(' ')])).toMatchObject({
        stdout: 'hello\n',
      });
      made.push((await stat(`${files.at('development')}/issued/server.crt`)).mtimeMs);
    }
    expect(made[0]).toBe(made[1]);
  });
});

describe('knsock serve --status', () => {
  it('serves health, counters and metrics', async () => {
    const { serve, address } = await startServe([...server, '--framing', 'raw', '--status', '127.0.0.1:0']);
    await using _ = serve;
    const [, page = ''] = await serve.says(/"status":"([^"]+)"/);
    await using talker = await connected(serve, address);
    const text = async (path: string) => (await fetch(`http://${page}${path}`)).text();
    expect(await text('/health')).toBe('ok\n');
    expect(JSON.parse(await text('/stats'))).toMatchObject({ connections: 1, accepted: 1 });
    const metrics = await text('/metrics');
    expect(metrics).toContain('# TYPE knsock_server_connections gauge\nknsock_server_connections 1\n');
    expect(metrics).toContain(
      '# TYPE knsock_server_accepted_total counter\nknsock_server_accepted_total 1\n',
    );
    expect(metrics).toContain('\nknsock_server_refused_sockets_total{reason="connections"} 0\n');
    expect(metrics).toMatch(/^knsock_server_messages_total\{direction="in"\} \d+$/m);
    expect(metrics).toContain('knsock_server_requests_total{result="answered"} 0\n');
    const [, seconds] = /^knsock_server_certificates_expire_at_seconds (\d+)$/m.exec(metrics) ?? [];
    const { notAfter } = parseCertificate(await readFile(files.at('server.crt')));
    expect(Number(seconds) * 1_000).toBe(notAfter.getTime());
    serve.kill('SIGTERM');
    await serve.says(/"event":"draining"/);
    expect((await fetch(`http://${page}/health`)).status).toBe(503);
    talker.stdin.end();
    expect((await serve.ended()).code).toBe(0);
  });
});

async function connected(serve: Running, address: string): Promise<Running> {
  const talker = startKnsock(['send', address, '--framing', 'raw', ...ca]);
  await serve.says(/"event":"open"/);
  return talker;
}
