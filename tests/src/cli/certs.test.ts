import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, startServe, type Ended } from '../support/command.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-test-'));
  await succeeds('ca', 'Example Root');
  await succeeds('issue', 'localhost', '127.0.0.1', '--file', 'server');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const SERVER = 'certs/issued/server.crt';
const SERVER_KEY = 'certs/issued/server.key';
const ROOT = 'certs/ca/root.crt';

it('makes a root, an intermediate under it, and a certificate that chains to both', async () => {
  await succeeds('ca', 'Issuing', '--under', 'root', '--name', 'issuing', '--permit', 'example.internal');
  const issue = ['issue', '--authority', 'issuing', '--json'];
  const { certFile, keyFile } = await json<{ certFile: string; keyFile: string }>(
    ...issue,
    'db.example.internal',
  );
  expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  const trusted = await certs('verify', certFile, '--ca', ROOT, '--name', 'db.example.internal');
  expect(trusted).toMatchObject({ code: 0 });
  expect(trusted.stdout).toContain('CN=Issuing');
  const outside = await certs(...issue, 'db.example.com');
  expect(outside.code).toBe(58);
  expect(outside.stderr).toContain('KNSOCK_CERTIFICATE_NAME_CONSTRAINT');
});

it('signs a request for what is allowed and nothing else', async () => {
  await succeeds('csr', 'api.internal', '--out', 'api');
  expect((await stat(path.join(folder, 'api.key'))).mode & 0o777).toBe(0o600);
  const refused = await certs('sign', 'api.csr', '--allow', 'other.internal', '--authority', 'root');
  expect(refused.stderr).toContain('KNSOCK_CERTIFICATE_POLICY');
  await succeeds('sign', 'api.csr', '--allow', '*.internal', '--file', 'api', '--authority', 'root');
  expect(await certs('match', 'certs/issued/api.crt', 'api.key')).toMatchObject({ code: 0 });
});

it('makes no key for an existing request', async () => {
  await succeeds('csr', 'first.internal', '--out', 'once');
  await rm(path.join(folder, 'once.key'));
  expect(await certs('csr', 'second.internal', '--out', 'once')).toMatchObject({ code: 23 });
  await expect(stat(path.join(folder, 'once.key'))).rejects.toThrow('ENOENT');
});

it('ends a hold by a revocation for good, and says what stands where nothing changed', async () => {
  await succeeds('ca', 'Holding', '--store', 'held store', '--name', 'root');
  const at = ['--store', 'held store', '--authority', 'root'];
  await succeeds('issue', 'held.internal', '--file', 'held', ...at);
  const revoke = ['revoke', 'held store/issued/held.crt', ...at, '--reason'];
  const held = await certs(...revoke, 'certificate-hold');
  expect(held.stdout + held.stderr).toContain("knsock certs crl --store 'held store' --authority root");
  const final = await json<object>(...revoke, 'key-compromise', '--json');
  expect(final).toMatchObject({ reason: 'key-compromise', changed: true });
  const again = await certs(...revoke, 'certificate-hold');
  expect(again.code).toBe(0);
  expect(again.stdout + again.stderr).toMatch(/Already revoked \(key-compromise, at 20.*nothing was changed/);
  const unchanged = await json<object>(...revoke, 'superseded', '--json');
  expect(unchanged).toMatchObject({ reason: 'key-compromise', changed: false });
});

it.each([
  ['crl', '--authority', 'root', '--out', '-', '--json'],
  ['convert', SERVER, '--to', 'pem', '--out', '-', '--json'],
])('refuses to mix a file and JSON on standard output: %s', async (...args) => {
  expect(await certs(...args)).toMatchObject({ code: 2, stderr: expect.stringContaining('--out') as string });
});

it('takes an empty variable for an unset one', async () => {
  const env = { KNSOCK_STORE: '', KNSOCK_CA: '', KNSOCK_CERT: '', KNSOCK_CRL: '', KNSOCK_PASSPHRASE: '' };
  const made = await knsock(['certs', 'issue', 'empty.internal', '--authority', 'root'], {
    cwd: folder,
    env,
  });
  expect(made).toMatchObject({ code: 0 });
});

it('prints tokens as JSON, one a line', async () => {
  const create = ['certs', 'token', '--address', 'localhost:9443', '--authority', 'root', '--name'];
  for (const name of ['a', 'b']) await knsock([...create, name], { cwd: folder });
  const { stdout } = await certs('token', '--list', '--json');
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { names: string[] });
  expect(lines.map(({ names }) => names)).toEqual([['a'], ['b']]);
  const odd = await certs('token', '--withdraw', 'nope');
  expect(odd.stderr).toContain('--list');
});

it('names the subcommand and its own flags in errors', async () => {
  expect((await certs('verify', SERVER)).stderr).toContain(
    'knsock certs verify --help lists its arguments and options',
  );
  const wrong = await certs('verify', SERVER, '--ca', ROOT, '--name', 'other');
  expect(wrong.stderr).toContain('pass a name in the certificate to --name');
  await succeeds('ca', 'One', '--store', 'two');
  await succeeds('ca', 'Other', '--name', 'other', '--store', 'two');
  const unsaid = await certs('issue', 'a.internal', '--store', 'two');
  expect(unsaid.stderr).toMatch(
    /^knsock certs issue: say which authority is meant: other, root\n.*--authority other/,
  );
  const none = await certs('issue', 'a.internal', '--store', 'none');
  expect(none.stderr).toMatch(/there is no authority in .*\n.*knsock certs ca NAME/);
  const closed = await certs('match', SERVER, SERVER, '--quiet');
  expect(closed.stderr).toMatch(/^knsock certs match: /);
});

it('makes PKCS#12 of a certificate in DER', async () => {
  await succeeds('convert', SERVER, '--to', 'der', '--out', 'server.der');
  await writeFile(path.join(folder, 'word'), 'secret');
  const pass = ['--passphrase-file', 'word'];
  await succeeds('convert', 'server.der', '--to', 'pkcs12', '--key', SERVER_KEY, '--out', 'der.p12', ...pass);
  const back = await certs('convert', 'der.p12', '--to', 'pem', ...pass);
  expect(back.stdout).toContain(await readFile(path.join(folder, SERVER), 'utf8'));
});

it("reports a key that isn't the certificate's", async () => {
  await succeeds('csr', 'x.internal', '--out', 'x');
  expect(await certs('match', SERVER, 'x.key')).toMatchObject({
    code: 58,
    stdout: `x.key doesn't belong to ${SERVER}\n`,
  });
});

it('refuses a revoked certificate, once the list is signed', async () => {
  await succeeds('issue', 'old.internal', '--file', 'old', '--authority', 'root');
  await succeeds('crl', '--authority', 'root');
  const verify = ['verify', 'certs/issued/old.crt', '--ca', ROOT, '--crl', 'certs/ca/root.crl'];
  expect(await certs(...verify)).toMatchObject({ code: 0 });
  await succeeds('revoke', 'certs/issued/old.crt', '--reason', 'superseded', '--authority', 'root');
  await succeeds('crl', '--authority', 'root');
  const revoked = await certs(...verify);
  expect(revoked).toMatchObject({ code: 91 });
  expect(revoked.stdout).toContain('not trusted (revoked)');
});

it('shows what is in files, standard input and on servers', async () => {
  expect((await certs('inspect', SERVER)).stdout).toContain('localhost');
  const input = await readFile(path.join(folder, ROOT), 'utf8');
  expect((await certsWith({ input }, 'inspect', '-')).stdout).toContain('Example Root');
  const { serve, address } = await startServe(['--cert', SERVER, '--key', SERVER_KEY], { cwd: folder });
  await using _ = serve;
  const live = await json<{ items: { subject: string }[] }>('inspect', address, '--json');
  expect(live.items[0]?.subject).toBe('CN=localhost');
});

it('prints the name of each of several files above its contents', async () => {
  expect((await certs('inspect', SERVER)).stdout).not.toContain('==>');
  const { stdout } = await certs('inspect', SERVER, ROOT);
  expect(stdout).toMatch(new RegExp(`^==> ${SERVER} <==\\n[^]*==> ${ROOT} <==\\n[^]*Example Root`));
});

it('shows the pin that --pin takes', async () => {
  const { spkiPin } = await json<{ spkiPin: string }>('fingerprint', SERVER, '--json');
  const { serve, address } = await startServe(['--cert', SERVER, '--key', SERVER_KEY], { cwd: folder });
  await using _ = serve;
  const send = ['send', address, 'hello', '--ca', ROOT, '--pin', spkiPin];
  expect(await knsock(send, { cwd: folder })).toMatchObject({ code: 0, stdout: 'hello\n' });
});

it('converts between formats and back', async () => {
  const env = { KNSOCK_PASSPHRASE: 'open sesame' };
  const convert = (...args: string[]) => certsWith({ env }, 'convert', ...args);
  const to = await convert(SERVER, '--to', 'pkcs12', '--key', SERVER_KEY, '--out', 'server.p12');
  expect(to).toEqual({ code: 0, stdout: 'server.p12\n', stderr: '' });
  const pem = (await convert('server.p12', '--to', 'pem')).stdout;
  expect(pem).toContain('PRIVATE KEY');
  const original = await readFile(path.join(folder, SERVER), 'utf8');
  expect(pem.startsWith(original)).toBe(true);
  await convert(SERVER, '--to', 'der', '--out', 'server.der');
  expect((await convert('server.der', '--to', 'pem')).stdout).toBe(original);
});

it('lints, from the requested severity on', async () => {
  expect(await certs('lint', SERVER)).toMatchObject({ code: 0 });
  await succeeds(
    'issue',
    'long.internal',
    '--days',
    '900',
    '--max-days',
    '900',
    '--file',
    'long',
    '--authority',
    'root',
  );
  const findings = await certs('lint', 'certs/issued/long.crt', '--fail-on', 'notice');
  expect(findings.code).toBe(3);
  expect(findings.stdout).toMatch(/fix: \S/);
});

it('reports what expires, and renews it', async () => {
  expect(await certs('expiry', SERVER)).toMatchObject({ code: 0 });
  const due = await certs('expiry', SERVER, '--days', '100');
  expect(due).toMatchObject({ code: 3 });
  expect(due.stdout).toMatch(/^due /);
  expect((await certs('expiry', 'certs', '--prometheus')).stdout).toContain(
    'knsock_certificate_not_after_seconds',
  );
  const before = await readFile(path.join(folder, SERVER), 'utf8');
  const renew = ['renew', SERVER, SERVER_KEY, '--authority', 'root'];
  expect((await succeeds(...renew)).stdout).toMatch(/^not due before/);
  expect((await succeeds(...renew, '--force')).stdout).toMatch(/^renewed/);
  expect(await readFile(path.join(folder, SERVER), 'utf8')).not.toBe(before);
});

describe('--json', () => {
  const at = ['--authority', 'root'];
  it.each([
    [
      ['ca', 'JSON Issuing', '--under', 'root', '--name', 'json-issuing'],
      ['certFile', 'keyFile'],
    ],
    [
      ['issue', 'json.internal', '--file', 'json', ...at],
      ['certFile', 'keyFile'],
    ],
    [
      ['csr', 'json.internal', '--out', 'json'],
      ['csrFile', 'keyFile'],
    ],
    [
      ['sign', 'json.csr', '--allow', 'json.internal', '--file', 'signed', ...at],
      ['certFile', 'dropped'],
    ],
    [
      ['revoke', 'certs/issued/json.crt', ...at],
      ['revoked', 'reason', 'at', 'changed'],
    ],
    [
      ['crl', ...at],
      ['number', 'thisUpdate', 'nextUpdate'],
    ],
    [
      ['inspect', SERVER],
      ['source', 'items'],
    ],
    [
      ['verify', SERVER, '--ca', ROOT],
      ['ok', 'path'],
    ],
    [['match', SERVER, SERVER_KEY], ['matches']],
    [
      ['fingerprint', SERVER],
      ['spkiPin', 'colons'],
    ],
    [
      ['convert', SERVER, '--to', 'der', '--out', 'json.der'],
      ['file', 'format'],
    ],
    [
      ['lint', SERVER],
      ['file', 'findings'],
    ],
    [
      ['expiry', SERVER],
      ['state', 'daysLeft', 'subject'],
    ],
    [
      ['renew', SERVER, SERVER_KEY, ...at],
      ['renewed', 'notAfter', 'dueAt'],
    ],
    [
      ['init', 'others'],
      ['ca', 'serverCert', 'clientKey'],
    ],
  ])('makes data of what %j says', async (args, keys) => {
    expect(Object.keys(await json<object>(...args, '--json'))).toEqual(expect.arrayContaining(keys));
  });
});

it.each([
  ['issue', 'a.internal', '--store', 'nowhere'],
  ['crl', '--store', 'nowhere'],
  ['ca', 'Issuing', '--under', 'root', '--store', 'nowhere'],
  ['token', 'nowhere', '--name', 'a.internal'],
  ['token', 'nowhere', '--bar', 'a.internal'],
])('makes no directory where it finds no store: %j', async (...args) => {
  expect((await certs(...args)).stderr).toMatch(/there is no (authority|store) in .*nowhere/);
  await expect(stat(path.join(folder, 'nowhere'))).rejects.toThrow('ENOENT');
});

it.each([
  ['issue', 'https://page.internal', '--authority', 'root'],
  ['issue', 'HTTP://page.internal:8080/path', '--kind', 'peer', '--authority', 'root'],
  ['self-signed', 'https://page.internal', '--out', 'page'],
  ['csr', 'https://page.internal', '--out', 'page'],
  [
    'token',
    'certs',
    '--name',
    'https://page.internal',
    '--address',
    'ca.internal:9443',
    '--authority',
    'root',
  ],
])('asks for the host name where a web address is given: %j', async (...args) => {
  const { code, stderr } = await certs(...args);
  expect(code, stderr).not.toBe(0);
  expect(stderr).toContain('Give the host name: page.internal.');
  expect(stderr).toContain('KNSOCK_CERTIFICATE_NAME');
});

it('takes a web address beside its host name, and in a client certificate', async () => {
  await succeeds('issue', 'page.internal', 'https://page.internal/id', '--authority', 'root');
  await succeeds(
    'issue',
    'https://page.internal/me',
    '--kind',
    'client',
    '--file',
    'me',
    '--authority',
    'root',
  );
});

it('names the missing file', async () => {
  const missing = await certs('inspect', 'nowhere.crt');
  expect(missing).toMatchObject({ code: 26, stdout: '' });
  expect(missing.stderr).toContain('nowhere.crt');
});

function certs(...args: string[]): Promise<Ended> {
  return certsWith({}, ...args);
}

function certsWith(
  options: { env?: Record<string, string>; input?: string },
  ...args: string[]
): Promise<Ended> {
  return knsock(['certs', ...args], { cwd: folder, ...options });
}

async function succeeds(...args: string[]): Promise<Ended> {
  const ended = await certs(...args);
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return ended;
}

async function json<Value>(...args: string[]): Promise<Value> {
  return JSON.parse((await succeeds(...args)).stdout) as Value;
}
