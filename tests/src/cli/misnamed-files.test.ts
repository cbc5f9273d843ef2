/** Files that hold something else than their names or their flags say. */
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startKnsock } from '../support/command.js';

let files: CertificateFolder;
let contents: Record<'certificate' | 'key' | 'list' | 'request' | 'bundle', string>;
beforeAll(async () => {
  files = await createCertificateFolder();
  const [certificate, key] = [await text('server.crt'), await text('server.key')];
  const list = (await files.authority.crl()).pem;
  const made = ['req', '-new', '-key', files.at('server.key'), '-subj', '/CN=localhost'];
  const request = execFileSync('openssl', made).toString();
  contents = { certificate, key, list, request, bundle: (await text('ca.crt')) + request };
});
afterAll(() => files[Symbol.asyncDispose]());

const text = (name: string): Promise<string> => readFile(files.at(name), 'utf8');

describe('check', () => {
  it.each([
    ['one.crl', 'certificate', 'a certificate', 'revocation list'],
    ['one.key', 'certificate', 'a certificate', 'private key'],
    ['two.key', 'list', 'a revocation list', 'private key'],
    ['two.crt', 'key', 'a private key', 'certificate'],
    ['three.crt', 'request', 'a certificate request', 'certificate'],
    ['one.csr', 'certificate', 'a certificate', 'request'],
  ] as const)('finds that %s holds a %s', async (name, content, held, wanted) => {
    const file = await files.write(name, contents[content]);
    const { code, stdout } = await knsock(['check', file]);
    expect([code, stdout]).toEqual([3, expect.stringContaining(`it holds ${held}`)]);
    expect(stdout).toContain(`not a ${wanted}`);
  });

  it.each(['certificate', 'key', 'list', 'request'] as const)(
    'takes a .pem of any kind: %s',
    async (content) => {
      const file = await files.write(`${content}.pem`, contents[content]);
      const { stdout } = await knsock(['check', file, files.at('server.crt')]);
      expect(stdout).not.toContain('readable: expected');
    },
  );

  it('notes a request among certificates', async () => {
    const file = await files.write('bundle.pem', contents.bundle);
    expect((await knsock(['check', file])).stdout).toContain(
      'a certificate request stands among the certificates',
    );
  });

  it.each([
    ['list', 'it holds a revocation list, not a certificate'],
    ['key', 'it holds a private key'],
    ['request', 'it holds a request, not a certificate'],
  ] as const)('says what a --ca is: a %s', async (content, words) => {
    const file = await files.write(`ca-${content}.pem`, contents[content]);
    const { code, stderr } = await knsock(['check', files.at('server.crt'), '--ca', file]);
    expect([code, stderr]).toEqual([58, expect.stringContaining('KNSOCK_CERTIFICATE_MALFORMED')]);
    expect(stderr).toContain(words.replace('a private key', 'a key'));
  });
});

describe('an empty file', () => {
  it('has one code in all commands that look at certificates', async () => {
    const file = await files.write('empty.pem', '');
    const [crt, key, ca] = [files.at('server.crt'), files.at('server.key'), files.at('ca.crt')];
    const commands = [
      ['certs', 'inspect', file],
      ['certs', 'match', file, key],
      ['certs', 'match', crt, file],
      ['certs', 'verify', crt, '--ca', file],
      ['certs', 'verify', crt, '--ca', ca, '--crl', file],
      ['check', crt, '--ca', file],
      ['check', crt, '--crl', file],
    ];
    const ended = await Promise.all(commands.map((args) => knsock(args, { cwd: files.path })));
    for (const { stderr } of ended)
      expect(stderr).toMatch(/empty\.pem.*it is empty[^]*KNSOCK_CERTIFICATE_MALFORMED/);
  });

  it('is named as --signer-key', async () => {
    const file = await files.write('signer.pub', '');
    const args = ['certs', 'ca', 'Root', '--signer-exec', 'true', '--signer-key', file];
    const { code, stderr } = await knsock(args, { cwd: files.path });
    expect([code, stderr]).toEqual([58, expect.stringContaining('signer.pub')]);
    expect(stderr).toContain('it is empty');
  });
});

describe.skipIf(process.platform === 'win32')('what the system does not let be read', () => {
  it('has the exit code 26 in check and expiry, beside what can be', async () => {
    const gone = files.at('gone.crt');
    await files.write('loop.txt', '');
    execFileSync('ln', ['-s', 'loop.pem', files.at('loop.pem')]);
    for (const file of [gone, files.at('loop.pem')]) {
      const expiry = await knsock(['certs', 'expiry', file, files.at('server.crt'), '--days', '1']);
      expect([expiry.code, expiry.stdout]).toEqual([26, expect.stringMatching(/^good .*server\.crt/m)]);
    }
    const folder = await knsock(['check', files.path]);
    expect([folder.code, folder.stderr]).toEqual([26, expect.stringContaining("loop.pem can't be read")]);
    expect(folder.stdout).toContain('server.crt');
  });
});

it('--acme-ca is read as any other file of certificates', async () => {
  const der = execFileSync('openssl', ['x509', '-in', files.at('ca.crt'), '-outform', 'DER']);
  const acme = [
    'serve',
    '--acme',
    'a.example',
    '--acme-directory',
    'https://127.0.0.1:1/dir',
    '--acme-agree',
  ];
  const start = async (ca: string) => {
    await using running = startKnsock([...acme, '--acme-dir', files.at('acme'), '--acme-ca', ca]);
    return await running.ended();
  };
  expect((await start(await files.write('acme.der', der))).stderr).toMatch(/127\.0\.0\.1:1/);
  const refused = await start(await files.write('acme.key', contents.key));
  expect([refused.code, refused.stderr]).toEqual([58, expect.stringContaining('acme.key')]);
});

it.each([
  ['explicit', 'explicit curve parameters'],
  ['named_curve', 'unknown curve'],
])('certs inspect shows a key that nobody accepts: its curve is %s', async (encoding, words) => {
  const curve = encoding === 'explicit' ? 'prime256v1' : 'secp224k1';
  const made = ['ecparam', '-name', curve, '-genkey', '-noout', '-param_enc', encoding];
  const key = execFileSync('openssl', made).toString();
  const halves = [key, execFileSync('openssl', ['pkey', '-pubout'], { input: key }).toString()];
  for (const [index, half] of halves.entries()) {
    const file = await files.write(`${encoding}-${index}.pem`, half);
    const { code, stdout } = await knsock(['certs', 'inspect', file]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('(one that nobody accepts)')]);
    expect(stdout).toContain(words);
  }
});
