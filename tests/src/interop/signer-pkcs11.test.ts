/** Authorities whose keys live in a PKCS#11 module (softhsm2) and sign through pkcs11-tool. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { knsock, startKnsock } from '../support/command.js';
import { needsTools } from './tools.js';

const run = promisify(execFile);
const modules = ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/pkcs11/libsofthsm2.so'];

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-hsm-'));
  await mkdir(path.join(folder, 'tokens'));
  const settings = `directories.tokendir = ${folder}/tokens\nobjectstore.backend = file\n`;
  await writeFile(path.join(folder, 'softhsm2.conf'), settings);
  env = { SOFTHSM2_CONF: path.join(folder, 'softhsm2.conf') };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Key {
  readonly id: string;
  readonly type: string;
  /** What signs with it, reading standard input. */
  readonly command: (tool: string) => string;
}

const keys: Record<string, Key> = {
  ECDSA: {
    id: '01',
    type: 'EC:prime256v1',
    // The module signs digests alone with this mechanism.
    command: (tool) =>
      `openssl dgst -sha256 -binary | ${tool} --sign -m ECDSA --signature-format openssl --id 01`,
  },
  RSA: { id: '02', type: 'rsa:2048', command: (tool) => `${tool} --sign -m SHA256-RSA-PKCS --id 02` },
  Ed25519: { id: '03', type: 'EC:edwards25519', command: (tool) => `${tool} --sign -m EDDSA --id 03` },
};

describe('an authority whose key is in a PKCS#11 module', () => {
  it.for(Object.keys(keys))('issues and revokes, and openssl verifies it (%s)', async (name, context) => {
    const key = keys[name] as Key;
    const { command, publicKey } = await keyInModule(key, name, context);
    const store = `store-${name}`;
    const signer = ['--store', store, '--signer-exec', command];
    const made = await knsock(['certs', 'ca', 'HSM Root', ...signer, '--signer-key', publicKey], at());
    expect(made).toMatchObject({ code: 0, stdout: `${store}/ca/root.crt\n` });
    for (const one of ['good', 'bad'])
      expect(await knsock(['certs', 'issue', `${one}.example`, ...signer], at())).toMatchObject({ code: 0 });
    const bad = `${store}/issued/bad.example.crt`;
    expect(await knsock(['certs', 'revoke', bad, ...signer], at())).toMatchObject({ code: 0 });
    expect(await knsock(['certs', 'crl', ...signer, '--out', `${store}.crl`], at())).toMatchObject({
      code: 0,
    });
    expect(await readdir(path.join(folder, store, 'ca'))).toEqual(['root.crl', 'root.crt']);
    expect(await verified(store, 'good')).toContain('good.example.crt: OK');
    expect(await verified(store, 'bad')).toContain('certificate revoked');
  });

  it('serves machines that enrol', async (context) => {
    const { command, publicKey } = await keyInModule(keys['RSA'] as Key, 'served', context);
    const signer = ['--signer-exec', command];
    await knsock(
      ['certs', 'ca', 'HSM Root', '--store', 'served', ...signer, '--signer-key', publicKey],
      at(),
    );
    await using running = startKnsock(
      ['certs', 'serve', 'served', '--listen', '127.0.0.1:0', '--json', ...signer],
      at(),
    );
    await running.says(/"event":"listening"/);
    const token = await knsock(['certs', 'token', 'served', '--name', 'agent.example'], at());
    const enrolled = await knsock(['certs', 'enroll', '--token-file', '-', '--dir', 'machine'], {
      ...at(),
      input: token.stdout,
    });
    expect(enrolled).toMatchObject({ code: 0 });
    const { stdout } = await run(
      'openssl',
      ['verify', '-CAfile', 'served/ca/root.crt', 'machine/tls.crt'],
      at(),
    );
    expect(stdout).toBe('machine/tls.crt: OK\n');
  });
});

const at = () => ({ cwd: folder, env: { ...env, PATH: process.env['PATH'] ?? '' } });

/** Makes the key in a token of its own and reads its public half. */
async function keyInModule(
  { id, type, command }: Key,
  label: string,
  context: TestContext,
): Promise<{ command: string; publicKey: string }> {
  needsTools(context, 'softhsm2-util', 'pkcs11-tool', 'openssl');
  const module = modules.find((file) => existsSync(file));
  if (module === undefined) return context.skip('the module of softhsm2 is elsewhere');
  const pins = ['--so-pin', '1234', '--pin', '1234'];
  await run('softhsm2-util', ['--init-token', '--free', '--label', label, ...pins], at());
  const args = ['--module', module, '--token-label', label, '--login', '--pin', '1234'];
  await run('pkcs11-tool', [...args, '--keypairgen', '--key-type', type, '--id', id, '--label', 'ca'], at());
  const read = [...args, '--read-object', '--type', 'pubkey', '--id', id];
  const found = execFileSync('pkcs11-tool', read, { ...at(), stdio: ['ignore', 'pipe', 'ignore'] });
  const publicKey = path.join(folder, `${label}.pub`);
  await writeFile(publicKey, found);
  return { command: command(`pkcs11-tool ${args.join(' ')}`), publicKey };
}

async function verified(store: string, name: string): Promise<string> {
  const files = ['-CAfile', `${store}/ca/root.crt`, '-CRLfile', `${store}.crl`, '-crl_check'];
  const verify = ['verify', ...files, `${store}/issued/${name}.example.crt`];
  return run('openssl', verify, at()).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { stderr: string }).stderr,
  );
}
