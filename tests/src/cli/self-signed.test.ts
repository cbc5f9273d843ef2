/** `knsock certs self-signed`, as the two ends of a closed pair use it. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { knsock, startServe, type Ended } from '../support/command.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const selfSigned = (...args: string[]): Promise<Ended> => run('certs', 'self-signed', ...args);
const run = (...args: string[]): Promise<Ended> => knsock(args, { cwd: folder });
const contents = (file: string): Promise<string> => readFile(path.join(folder, file), 'utf8');

it('makes a server that is trusted only by clients with its certificate', async () => {
  const made = await selfSigned('localhost', '127.0.0.1');
  expect(made).toEqual({ code: 0, stdout: 'server.crt\nserver.key\n', stderr: '' });
  expect((await stat(path.join(folder, 'server.key'))).mode & 0o777).toBe(0o600);
  const { serve, address } = await startServe(['--cert', 'server.crt', '--key', 'server.key'], {
    cwd: folder,
  });
  await using _ = serve;
  expect(await run('send', address, 'hello', '--ca', 'server.crt')).toMatchObject({ stdout: 'hello\n' });
  const stranger = await run('send', address, 'hello');
  expect(stranger).toMatchObject({ code: 60, stdout: '' });
  expect(stranger.stderr).toContain('pass it to --ca');
});

it('makes both ends of a pair that trust only each other', async () => {
  await selfSigned('localhost');
  await selfSigned('--kind', 'client', '--common-name', 'alice');
  await selfSigned('--kind', 'client', '--common-name', 'mallory', '--out', 'mallory');
  const { serve, address } = await startServe(
    ['--cert', 'server.crt', '--key', 'server.key', '--ca', 'client.crt', '--client-cert', 'require'],
    { cwd: folder },
  );
  await using _ = serve;
  const send = (who: string) =>
    run('send', address, 'hello', '--ca', 'server.crt', '--cert', `${who}.crt`, '--key', `${who}.key`);
  expect(await send('client')).toMatchObject({ code: 0, stdout: 'hello\n' });
  expect(await send('mallory')).toMatchObject({ code: 67, stdout: '' });
});

it('has one finding in knsock check: that no CA signed it', async () => {
  await selfSigned('localhost');
  const { stdout } = await run('check', 'server.crt', 'server.key', '--fail-on', 'never', '--json');
  const findings = stdout.split('\n').flatMap((line) => [...line.matchAll(/"rule":"([\w-]+)"/g)]);
  expect(findings.map(([, rule]) => rule)).toEqual(['ca-signed']);
});

it('prints what it is for, and until when', async () => {
  const options = ['--days', '400', '--max-days', '400', '--key-type', 'rsa2048', '--ou', 'tests'];
  const made = await selfSigned('a.test', '--common-name', 'A', '--out', 'a', ...options, '--json');
  expect(JSON.parse(made.stdout)).toEqual({ certFile: 'a.crt', keyFile: 'a.key' });
  const { stdout } = await run('certs', 'inspect', 'a.crt');
  expect(stdout).toMatch(/CN=A/);
  expect(stdout).toMatch(/OU=tests/);
  expect(stdout).toMatch(/names +DNS:a\.test/);
  expect(stdout).toMatch(/RSA 2,?048/i);
  expect(stdout).toMatch(/expires in 399 days/);
});

it('refuses a day more than browsers accept, and says which flag of which commands allows it', async () => {
  const refused = await selfSigned('a.test', '--days', '399');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain('over the limit of 398, the most that browsers and Apple accept');
  expect(refused.stderr).toContain('certs issue and certs self-signed allow more than 398 by --max-days');
  expect(await readdir(folder)).toEqual([]);
});

it.each(['server.crt', 'server.key'])('changes nothing if there is a %s already', async (file) => {
  await writeFile(path.join(folder, file), 'precious');
  const refused = await selfSigned('localhost');
  expect(refused).toMatchObject({ code: 23, stdout: '' });
  expect(refused.stderr).toContain(`${file} already exists`);
  expect(await readdir(folder)).toEqual([file]);
  expect(await contents(file)).toBe('precious');
});

it('replaces both with --force, with a key only for its owner', async () => {
  await selfSigned('localhost');
  const before = await contents('server.crt');
  await writeFile(path.join(folder, 'server.key'), 'old', { mode: 0o644 });
  expect(await selfSigned('localhost', '--force')).toMatchObject({ code: 0 });
  expect(await contents('server.crt')).not.toBe(before);
  expect((await stat(path.join(folder, 'server.key'))).mode & 0o777).toBe(0o600);
  expect(await run('certs', 'match', 'server.crt', 'server.key')).toMatchObject({ code: 0 });
});

it('stays what it is when it is renewed, unless an authority is named', async () => {
  await selfSigned('localhost', '--days', '30');
  const renew = ['certs', 'renew', 'server.crt', 'server.key'];
  expect((await run(...renew)).stdout).toMatch(/^not due before/);
  const before = await contents('server.crt');
  expect((await run(...renew, '--force')).stdout).toMatch(/^renewed/);
  expect(await contents('server.crt')).not.toBe(before);
  const verify = ['certs', 'verify', 'server.crt', '--name', 'localhost', '--ca'];
  expect(await run(...verify, 'server.crt')).toMatchObject({ code: 0 });
  await run('certs', 'init');
  await run(...renew, '--force');
  expect(await run(...verify, 'server.crt')).toMatchObject({ code: 0 });
  await run(...renew, '--force', '--authority', 'root');
  expect(await run(...verify, 'certs/ca/root.crt')).toMatchObject({ code: 0 });
});

it.each([
  ['--authority', 'root'],
  ['--store', 'certs'],
  ['--store-passphrase-file', 'secret'],
  ['--crl-url', 'http://a.test/ca.crl'],
  ['--file', 'server'],
])('has nothing to do with an authority: %s is refused by name', async (option, value) => {
  const refused = await selfSigned('localhost', option, value);
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toContain(`unknown option '${option}'`);
  expect(await readdir(folder)).toEqual([]);
});

it('refuses a certificate without a name, or one valid for too long', async () => {
  expect((await selfSigned()).stderr).toContain('KNSOCK_CERTIFICATE_NAME');
  expect((await selfSigned('localhost', '--days', '500')).stderr).toContain('KNSOCK_CERTIFICATE_VALIDITY');
  expect(await readdir(folder)).toEqual([]);
});
