/** Servers of the command follow their files by themselves, whatever is put in the place of one, and live through SIGHUPs. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFile, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, knsockCommand, startKnsock, startServe } from '../support/command.js';

let files: CertificateFolder;
beforeAll(async () => {
  files = await createCertificateFolder();
});
afterAll(() => files[Symbol.asyncDispose]());

const pair = (): string[] => ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
const list = async (): Promise<string> => (await files.authority.crl()).pem;
const count = (text: Buffer, what: RegExp): number => text.toString().match(what)?.length ?? 0;

describe('knsock serve', () => {
  it('follows its lists by itself, keeps the last good one, and tells each reason once', async () => {
    const alice = await files.authority.issue({ kind: 'client', commonName: 'alice' });
    const [cert, key] = [
      await files.write('alice.crt', alice.chain),
      await files.write('alice.key', alice.key),
    ];
    const crl = await files.write('followed.crl', await list());
    const { serve, address } = await startServe([...pair(), '--ca', files.at('ca.crt'), '--crl', crl]);
    await using _ = serve;
    const client = ['--cert', cert, '--key', key, '--ca', files.at('ca.crt')];
    expect(await knsock(['send', address, 'hello', ...client])).toMatchObject({ stdout: 'hello\n' });
    await rm(crl);
    await serve.says(/"event":"failure".*there is no file [^"]*followed\.crl/);
    expect(await knsock(['send', address, 'hello', ...client])).toMatchObject({ stdout: 'hello\n' });
    await files.authority.revoke(alice.certificate);
    await writeFile(`${crl}.new`, await list());
    await rename(`${crl}.new`, crl);
    await serve.says(/"event":"credentials"/);
    expect((await knsock(['send', address, 'hello', ...client])).code).not.toBe(0);
    await writeFile(crl, 'half-writ');
    await serve.says(/"event":"failure".*the CRL in [^"]*followed\.crl can't be read/);
    serve.kill('SIGHUP');
    await serve.says(/followed\.crl can't be read[^]*followed\.crl can't be read/);
    expect((await knsock(['send', address, 'hello', ...client])).code).not.toBe(0);
    expect(count(serve.output, /there is no file/g)).toBe(1);
  });

  it('refuses an intermediate alone as --ca, and keeps what it has where one is put in its place', async () => {
    const middle = await files.authority.intermediate({ commonName: 'Middle', days: 7 });
    const [alone, ca] = [await files.write('middle.crt', middle.certificate), files.at('followed-ca.crt')];
    const refused = await knsock(['serve', '--port', '0', ...pair(), '--ca', alone]);
    expect([refused.code, refused.stderr]).toEqual([58, expect.stringContaining(`${alone} holds no root`)]);
    await copyFile(files.at('ca.crt'), ca);
    const { serve, address } = await startServe([...pair(), '--ca', ca]);
    await using _ = serve;
    await copyFile(alone, ca);
    await serve.says(/"event":"failure".*holds no root/);
    const client = [
      '--cert',
      files.at('client.crt'),
      '--key',
      files.at('client.key'),
      '--ca',
      files.at('ca.crt'),
    ];
    expect(await knsock(['send', address, 'hello', ...client])).toMatchObject({ stdout: 'hello\n' });
  });

  it('says that a list is set back', async () => {
    const before = await list();
    const crl = await files.write('set-back.crl', await list());
    const { serve } = await startServe([...pair(), '--ca', files.at('ca.crt'), '--crl', crl]);
    await using _ = serve;
    await writeFile(crl, before);
    await serve.says(/"event":"warning".*older than the one in use/);
  });

  it.skipIf(process.platform === 'win32')(
    'reads process substitution once, says so, and stays through SIGHUPs',
    async () => {
      const [program, ...rest] = knsockCommand;
      const command = [program, ...rest, 'serve', '--host', '127.0.0.1', '--port', '0', '--json']
        .map((word) => `'${word}'`)
        .join(' ');
      const script = `exec ${command} --cert <(cat '${files.at('server.crt')}') --key /dev/stdin < <(cat '${files.at('server.key')}')`;
      const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      try {
        let said = '';
        let told = 0;
        for await (const bytes of child.stdout as AsyncIterable<Buffer>) {
          said += bytes.toString();
          told += count(bytes, /"event":"listening"/g);
          if (told === 1) {
            told += 1;
            for (let storm = 0; storm < 50; storm++) child.kill('SIGHUP');
          }
          if (said.includes('"event":"reloaded"')) break;
        }
        expect(said.match(/is a pipe: it was read once, and isn't followed/g)).toHaveLength(2);
        expect(said).not.toContain('"event":"failure"');
      } finally {
        child.kill('SIGKILL');
      }
    },
  );

  it.skipIf(process.platform === 'win32').each([
    ['serve', ['--port', '0']],
    ['proxy server', ['--listen', '127.0.0.1:0', '--target', '127.0.0.1:1', '--allow-all']],
  ])('%s keeps a SIGHUP that comes before it listens', async (name, args) => {
    const key = files.at(`${name}.key`.replace(' ', '-'));
    execFileSync('mkfifo', [key]);
    const started = [...name.split(' '), ...args, '--cert', files.at('server.crt'), '--key', key, '--json'];
    await using serve = startKnsock(started);
    // Which returns when the command has opened it, too.
    const pipe = await open(key, 'w');
    serve.kill('SIGHUP');
    await pipe.writeFile(await readFile(files.at('server.key')));
    await pipe.close();
    await serve.says(/"event":"listening"/);
    await serve.says(/"event":"reloaded"/);
  });
});
