/** `--signer-exec`: a command signs for the authority, and the store holds no key. */
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, startKnsock } from '../support/command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-signer-'));
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(path.join(folder, 'ca.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(path.join(folder, 'hidden.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(path.join(folder, 'sign.mjs'), SIGNER);
  const second = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(path.join(folder, 'second.pub'), second.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(path.join(folder, 'other.key'), second.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(path.join(folder, 'second.mjs'), SIGNER.replace('hidden.key', 'other.key'));
  await writeFile(path.join(folder, 'locked.mjs'), "console.error('wrong PIN'); process.exit(3);");
  const made = await run('ca', 'Example CA', '--store', 'store', ...by('sign'), '--signer-key', 'ca.pub');
  expect(made).toMatchObject({ code: 0, stdout: 'store/ca/root.crt\n' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SIGNER = `
import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
if (Object.keys(process.env).some((name) => /PASSPHRASE|TOKEN/.test(name))) process.exit(9);
process.stdout.write(sign('sha256', await buffer(process.stdin), createPrivateKey(readFileSync('hidden.key'))));
`;

const by = (program: string): string[] => ['--signer-exec', `'${process.execPath}' ${program}.mjs`];
const run = (...args: string[]) =>
  knsock(['certs', ...args], { cwd: folder, env: { KNSOCK_STORE_PASSPHRASE: 'not for the signer' } });

describe('--signer-exec', () => {
  it('issues, signs lists and serves, without a key in the store', async () => {
    expect(await readdir(path.join(folder, 'store', 'ca'))).toEqual(['root.crt']);
    const store = ['--store', 'store', ...by('sign')];
    expect(await run('issue', 'a.example', ...store)).toMatchObject({ code: 0 });
    expect(await run('crl', ...store)).toMatchObject({ code: 0 });
    const verify = ['store/issued/a.example.crt', '--ca', 'store/ca/root.crt', '--crl', 'store/ca/root.crl'];
    expect(await run('verify', ...verify)).toMatchObject({ code: 0 });
    await using running = startKnsock(
      ['certs', 'serve', 'store', '--listen', '127.0.0.1:0', '--json', ...by('sign')],
      { cwd: folder },
    );
    await running.says(/"event":"listening"/);
    const { stdout: input } = await run('token', 'store', '--name', 'agent.example');
    const enroll = ['certs', 'enroll', '--token-file', '-', '--dir', 'machine'];
    expect(await knsock(enroll, { cwd: folder, input })).toMatchObject({ code: 0 });
    running.kill('SIGTERM');
    const { code, stderr } = await running.ended();
    expect(code).toBe(0);
    expect(stderr).not.toContain('not encrypted');
  });

  it('signs an intermediate and a successor for a root whose key is elsewhere', async () => {
    await run('ca', 'Root', '--store', 'above', ...by('sign'), '--signer-key', 'ca.pub');
    const issuer = ['--store', 'above', '--issuer-signer-exec', by('sign')[1] as string];
    expect(await run('ca', 'Issuing', '--under', 'root', '--name', 'issuing', ...issuer)).toMatchObject({
      code: 0,
      stdout: 'above/ca/issuing.crt\nabove/ca/issuing.key\n',
    });
    const leaf = ['c.example', '--store', 'above', '--authority', 'issuing'];
    expect(await run('issue', ...leaf)).toMatchObject({ code: 0 });
    expect(await run('verify', 'above/issued/c.example.crt', '--ca', 'above/ca/root.crt')).toMatchObject({
      code: 0,
    });
    expect(await run('ca', 'Next', '--replaces', 'root', '--name', 'next', ...issuer)).toMatchObject({
      code: 0,
    });
    const [link, root] = await Promise.all(
      ['next.link', 'root.crt'].map(
        async (name) => new X509Certificate(await readFile(path.join(folder, 'above', 'ca', name))),
      ),
    );
    expect(link?.verify((root as X509Certificate).publicKey)).toBe(true);
    expect(link?.subject).toBe('CN=Next');
    const alone = await run('ca', 'Alone', '--name', 'alone', ...issuer);
    expect(alone.stderr).toContain('--under or --replaces');
  });

  it('signs with an intermediate whose key is elsewhere, as its root is', async () => {
    const store = ['--store', 'both'];
    const issuer = ['--issuer-signer-exec', by('sign')[1] as string];
    await run('ca', 'Root', ...store, ...by('sign'), '--signer-key', 'ca.pub');
    const next = [...by('second'), '--signer-key', 'second.pub', '--path-length', '1', ...issuer];
    expect(
      await run('ca', 'Issuing', '--under', 'root', '--name', 'issuing', ...store, ...next),
    ).toMatchObject({
      code: 0,
      stdout: 'both/ca/issuing.crt\n',
    });
    const issuing = [...store, '--authority', 'issuing', ...by('second')];
    await run('csr', 'e.example', '--out', 'e');
    const pair = ['both/issued/d.example.crt', 'both/issued/d.example.key'];
    for (const command of [
      ['issue', 'd.example'],
      ['sign', 'e.csr', '--allow', 'e.example'],
      ['renew', ...pair, '--force'],
      ['revoke', 'both/issued/e.example.crt'],
      ['crl'],
    ])
      expect(await run(...command, ...issuing), command.join(' ')).toMatchObject({ code: 0 });
    const below = ['--store', 'both', '--issuer-signer-exec', by('second')[1] as string];
    const lowest = await run('ca', 'Lowest', '--under', 'issuing', '--name', 'lowest', ...below);
    expect(lowest, lowest.stderr).toMatchObject({ code: 0 });
    const verify = ['--ca', 'both/ca/root.crt', '--crl', 'both/ca/issuing.crl'];
    expect(await run('verify', 'both/issued/d.example.crt', ...verify)).toMatchObject({ code: 0 });
    const revoked = await run('verify', 'both/issued/e.example.crt', ...verify);
    expect(revoked.stderr).toContain('has revoked that certificate');
    await using running = startKnsock(
      ['certs', 'serve', 'both', '--listen', '127.0.0.1:0', '--json', ...issuing.slice(2)],
      { cwd: folder },
    );
    await running.says(/"event":"listening"/);
  });

  it("reports the failed command's output, and issues nothing", async () => {
    const failed = await run('issue', 'b.example', '--store', 'store', ...by('locked'));
    expect(failed).toMatchObject({ code: 58, stdout: '' });
    expect(failed.stderr).toContain('the signer failed: it exited with 3: wrong PIN');
    expect(await readdir(path.join(folder, 'store', 'issued'))).not.toContain('b.example.crt');
  });

  it.skipIf(process.platform === 'win32')(
    'takes the signature of a command that leaves something running',
    async () => {
      await using held = await holder();
      const [, sign = ''] = by('sign');
      const signer = `${held.command} & ${sign}`;
      const store = ['--store', 'store', '--authority', 'root'];
      const [issued] = await Promise.all([
        run('issue', 'f.example', ...store, '--signer-exec', signer),
        held.arrived,
      ]);
      expect(issued, issued.stderr).toMatchObject({ code: 0 });
    },
  );

  it('ends the command with itself', async () => {
    await using held = await holder();
    const issue = ['certs', 'issue', 'g.example', '--store', 'store', '--authority', 'root'];
    await using running = startKnsock([...issue, '--signer-exec', held.command], { cwd: folder });
    const socket = await held.arrived;
    const gone = once(socket.resume(), 'close');
    running.kill('SIGINT');
    expect((await running.ended()).code).not.toBe(0);
    await gone;
  });

  it('asks for what is missing', async () => {
    for (const half of [by('sign'), ['--signer-key', 'ca.pub']])
      expect((await run('ca', 'Other', '--store', 'other', ...half)).stderr).toContain('go together');
    const under = await run(
      'ca',
      'Below',
      '--store',
      'store',
      '--under',
      'root',
      '--name',
      'b',
      ...by('sign'),
    );
    expect(under.stderr).toContain('To sign with the key of root: --issuer-signer-exec COMMAND.');
    const keyless = await run('issue', 'a.example', '--store', 'store', '--authority', 'root');
    expect(keyless.stderr).toContain('KNSOCK_CERTIFICATE_KEY_ABSENT');
    expect(keyless.stderr).toContain('--signer-exec COMMAND');
    expect((await run('issue', 'a.example', '--store', 'empty', ...by('sign'))).stderr).toContain(
      'there is no authority',
    );
    await knsock(['certs', 'ca', 'Second', '--store', 'store', '--name', 'second'], { cwd: folder });
    const several = await run('issue', 'a.example', '--store', 'store', ...by('sign'));
    expect(several.stderr).toContain('--authority root');
  });
});

/** A command that runs until its connection to us ends. */
async function holder() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrived = once(server, 'connection').then(([socket]) =>
    (socket as Socket).on('error', () => undefined),
  );
  const { port } = server.address() as AddressInfo;
  await writeFile(
    path.join(folder, 'hold.mjs'),
    `import { connect } from 'node:net'; connect(+process.argv[2], '127.0.0.1').resume();`,
  );
  return {
    command: `'${process.execPath}' hold.mjs ${port}`,
    arrived,
    [Symbol.asyncDispose]: async () => {
      (await arrived).destroy();
      server.close();
    },
  };
}
