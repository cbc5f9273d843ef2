import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
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

  it('tells the process who is there', async () => {
    const args = [...server, ...ca, '--allow-cn', 'app', '--exec', 'echo $KNSOCK_PEER_COMMON_NAME'];
    const { serve, address } = await startServe(args);
    await using _ = serve;
    const client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), ...ca];
    const send = ['send', address, '--framing', 'raw', ...client];
    expect(await knsock(send)).toMatchObject({ code: 0, stdout: 'app\n' });
  });

  it('speaks raw bytes and nothing else', async () => {
    const refused = await knsock(['serve', ...server, '--exec', 'cat', '--framing', 'lines']);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('knsock serve --handler', () => {
  it('answers by the default export of a module', async () => {
    const handler = await files.write('handler.mjs', 'export default ({ payload }) => `got ${payload}`;');
    const { serve, address } = await startServe([...server, '--handler', handler]);
    await using _ = serve;
    expect(await knsock(['send', address, 'one', ...ca])).toMatchObject({ code: 0, stdout: 'got one\n' });
  });

  it('says what a file that it can’t use lacks', async () => {
    const empty = await files.write('empty.mjs', 'export const other = 1;');
    const refused = await knsock(['serve', ...server, '--handler', empty]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('no function as its default export');
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
  it('tells health, counters and metrics', async () => {
    const { serve, address } = await startServe([...server, '--framing', 'raw', '--status', '127.0.0.1:0']);
    await using _ = serve;
    const [, page = ''] = await serve.says(/"status":"([^"]+)"/);
    await using talker = await connected(serve, address);
    const text = async (path: string) => (await fetch(`http://${page}${path}`)).text();
    expect(await text('/health')).toBe('ok\n');
    expect(JSON.parse(await text('/stats'))).toMatchObject({ connections: 1, accepted: 1 });
    expect(await text('/metrics')).toContain('\nknsock_server_connections 1\n');
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
