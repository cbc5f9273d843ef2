import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startKnsock, startServe, type Ended, type Running } from '../support/command.js';

let files: CertificateFolder;
let echo: { serve: Running; address: string };
let send: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  echo = await startServe(['--cert', files.at('server.crt'), '--key', files.at('server.key')]);
  send = ['send', echo.address, '--ca', files.at('ca.crt')];
});
afterAll(async () => {
  await echo.serve[Symbol.asyncDispose]();
  await files[Symbol.asyncDispose]();
});

/** An echo with further flags, until it is disposed of. */
async function startServing(flags: readonly string[]): Promise<AsyncDisposable & { address: string }> {
  const own = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
  const { serve, address } = await startServe([...own, ...flags]);
  return { address, [Symbol.asyncDispose]: () => serve[Symbol.asyncDispose]() };
}

describe('what is sent', () => {
  it('words, standard input in their place, and files after them', async () => {
    const file = await files.write('three.txt', 'three');
    const { code, stdout } = await knsock([...send, 'one', '-', '--file', file], { input: 'two\n' });
    // Where anything is a stream, replies are printed byte by byte.
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'onetwo\nthree' });
  });

  it('everything as often as --repeat says', async () => {
    expect((await knsock([...send, 'a', 'b', '--repeat', '3'])).stdout).toBe('a\nb\na\nb\na\nb\n');
  });

  it('standard input once only', async () => {
    for (const args of [
      ['--repeat', '2'],
      ['-', '-'],
    ]) {
      const refused = await knsock([...send, ...args], { input: 'x' });
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toContain('can be read once only');
    }
  });

  it('in pieces of --chunk bytes, each a message', async () => {
    const input = randomBytes(200_000);
    await using running = startKnsock([...send, '--chunk', '64KiB', '--json']);
    running.stdin.end(input);
    const { code, stdout } = await running.ended();
    expect(code).toBe(0);
    const replies = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { reply: string; bytes: number });
    expect(replies.map(({ bytes }) => bytes)).toEqual([65_536, 65_536, 65_536, 3_392]);
    expect(Buffer.concat(replies.map(({ reply }) => Buffer.from(reply, 'base64')))).toEqual(input);
  });

  it('thousands of lines, each a message, with all replies in order', async () => {
    await using lines = await startServing(['--framing', 'lines']);
    const input = Array.from({ length: 20_000 }, (_, n) => `line ${n}\n`).join('');
    const sending = ['send', lines.address, '--framing', 'lines', '--ca', files.at('ca.crt')];
    expect(await knsock(sending, { input })).toEqual({ code: 0, stdout: input, stderr: '' });
  });

  it('words that look like options, after --', async () => {
    expect(await knsock([...send, '--', '--json', '-v'])).toEqual({
      code: 0,
      stdout: '--json\n-v\n',
      stderr: '',
    });
  });

  it("nothing, if a file can't be read", async () => {
    const refused = await knsock([...send, '--file', files.at('nowhere.txt')]);
    expect(refused).toMatchObject({ code: 26, stdout: '' });
  });
});

describe('what is printed', () => {
  it("each reply as JSON, with its bytes if they aren't text", async () => {
    const { stdout } = await knsock([...send, 'grüße', '--json']);
    expect(JSON.parse(stdout)).toEqual({ reply: 'grüße', encoding: 'utf8', bytes: 7 });
    const file = await files.write('binary', Buffer.of(0xff, 0x00));
    const binary = await knsock([...send, '--file', file, '--json']);
    expect(JSON.parse(binary.stdout)).toEqual({ reply: '/wA=', encoding: 'base64', bytes: 2 });
  });

  it('no line feed, if disabled', async () => {
    expect((await knsock([...send, 'a', 'b', '--no-newline'])).stdout).toBe('ab');
  });

  it('the peer and the negotiated parameters, with -v', async () => {
    const { stdout, stderr } = await knsock([...send, 'hello', '-v']);
    expect(stdout).toBe('hello\n');
    expect(stderr).toMatch(/^server: +CN=localhost\nissuer: +CN=Test CA\nnames: +localhost, 127\.0\.0\.1, /);
    expect(stderr).toMatch(/^pin: +sha256\/\S{44}\ntls: +TLSv1\.3, TLS_/m);
  });

  it('the same as data, with --json', async () => {
    const [facts = '', reply = ''] = (await knsock([...send, 'hello', '-v', '--json'])).stdout.split('\n');
    expect(JSON.parse(facts)).toMatchObject({
      event: 'connected',
      server: { subject: 'CN=localhost' },
      tls: { version: 'TLSv1.3', alpn: 'knsock/1' },
    });
    expect(JSON.parse(reply)).toMatchObject({ reply: 'hello' });
  });
});

describe('a server that leaves', () => {
  it("isn't awaited, while no request is pending", async () => {
    const { serve, address } = await startServe([
      '--cert',
      files.at('server.crt'),
      '--key',
      files.at('server.key'),
    ]);
    await using _ = serve;
    await using running = startKnsock(['send', address, '--ca', files.at('ca.crt')]);
    await serve.says(/"event":"open"/);
    serve.kill('SIGTERM');
    const { code, stderr } = await running.ended(); // its standard input is still open
    expect(code).toBe(56);
    expect(stderr).toContain('the server ended the connection');
  });
});

describe('a server that ends', () => {
  const start = (program: string): ReturnType<typeof startServe> =>
    startServe([
      ...['--cert', files.at('server.crt'), '--key', files.at('server.key')],
      ...['--framing', 'raw', '--exec', program],
    ]);
  const ask = (address: string, ...args: string[]): Promise<Ended> =>
    knsock(['send', address, 'one', 'two', '--ca', files.at('ca.crt'), '--framing', ...args]);

  it('without a reply to each message is a failure, if messages are delimited', async () => {
    const { serve, address } = await start('read first; read second; echo "$first"');
    await using _ = serve;
    const { code, stdout, stderr } = await ask(address, 'lines');
    expect({ code, stdout }).toEqual({ code: 56, stdout: 'one\n' });
    expect(stderr).toContain('the server ended the connection after 1 of 2 replies');
    expect(await ask(address, 'lines', '--wait', '30s')).toEqual({ code: 0, stdout: 'one\n', stderr: '' });
  });

  it('without sending a byte is no failure, on raw', async () => {
    const { serve, address } = await start('head -c 6 > /dev/null');
    await using _ = serve;
    expect(await ask(address, 'raw')).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('credentials', () => {
  it('a PKCS#12 file given as a flag takes precedence over a pair from the environment', async () => {
    const { toPkcs12 } = await import('@knsock/certs');
    const [chain, key] = await Promise.all(
      ['client.crt', 'client.key'].map((name) => readFile(files.at(name), 'utf8')),
    );
    const pfx = await files.write(
      'client.p12',
      await toPkcs12({ chain: chain ?? '', key: key ?? '' }, 'open sesame'),
    );
    const { serve, address } = await startServe([
      ...['--cert', files.at('server.crt'), '--key', files.at('server.key')],
      ...['--ca', files.at('ca.crt'), '--allow-cn', 'app'],
    ]);
    await using _ = serve;
    const env = {
      KNSOCK_CERT: files.at('nowhere.crt'),
      KNSOCK_KEY: files.at('nowhere.key'),
      KNSOCK_PASSPHRASE: 'open sesame',
    };
    const args = ['send', address, 'hello', '--pfx', pfx, '--ca', files.at('ca.crt')];
    expect(await knsock(args, { env })).toMatchObject({ code: 0, stdout: 'hello\n' });
  });
});
