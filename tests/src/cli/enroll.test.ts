/** Machines that enrol and renew by the command. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseToken } from '@knsock/certs/authority-server';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { knsock, startKnsock, startServe, type Running } from '../support/command.js';

let folder: string;
let authority: Running;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-enroll-'));
  await knsock(['certs', 'ca', 'Example CA'], { cwd: folder });
  authority = startKnsock(['certs', 'serve', '--listen', '127.0.0.1:0', '--json'], { cwd: folder });
  await authority.says(/"event":"listening"/);
}, 60_000);
afterAll(async () => {
  await authority[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function token(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await knsock(['certs', 'token', ...args], { cwd: folder });
  expect([code, stderr]).toEqual([0, expect.stringContaining('certs enroll --token-file -')]);
  return stdout;
}

const files = (dir: string): string[] => [
  '--cert',
  `${dir}/tls.crt`,
  '--key',
  `${dir}/tls.key`,
  '--ca',
  `${dir}/ca.crt`,
];

it('enrols a server and a client that use mutual TLS, without copying files', async () => {
  const server = await token('--name', 'localhost', '--kind', 'peer');
  const enrolled = await knsock(['certs', 'enroll', '--token-file', '-', '--dir', 'server'], {
    cwd: folder,
    input: server,
  });
  expect(enrolled).toMatchObject({ code: 0, stdout: 'server/tls.crt\nserver/tls.key\nserver/ca.crt\n' });
  await writeFile(path.join(folder, 'token'), await token('--name', 'laptop'));
  expect(
    await knsock(['certs', 'enroll', '--token-file', 'token', '--dir', 'the client'], { cwd: folder }),
  ).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("renew --dir 'the client' --daemon") as string,
  });
  const { serve, address } = await startServe(files('server'), { cwd: folder });
  await using _ = serve;
  const sent = await knsock(['send', address, 'hello', ...files('the client')], { cwd: folder });
  expect(sent).toMatchObject({ code: 0, stdout: 'hello\n' });
  expect((await knsock(['send', address, 'hello', '--ca', 'the client/ca.crt'], { cwd: folder })).code).toBe(
    67,
  );
  await authority.says(/"event":"enrolled".*"names":\["laptop"\]/);
});

it('accepts a token from the environment, and as an argument with a warning', async () => {
  const env = { KNSOCK_TOKEN: await token('--name', 'one') };
  expect(await knsock(['certs', 'enroll', '--dir', 'one'], { cwd: folder, env })).toMatchObject({ code: 0 });
  const shown = await knsock(['certs', 'enroll', (await token('--name', 'two')).trim(), '--dir', 'two'], {
    cwd: folder,
  });
  expect(shown.code).toBe(0);
  expect(shown.stderr).toContain('warning: the token is an argument');
});

it('reports what is wrong with a token, and never the token', async () => {
  const word = await token('--name', 'three');
  const { secret } = parseToken(word);
  const cut = await knsock(['certs', 'enroll', '--token-file', '-', '--dir', 'three', '--debug'], {
    cwd: folder,
    input: word.slice(0, -20),
  });
  expect(cut).toMatchObject({ code: 2 });
  expect(cut.stderr).toContain('KNSOCK_CERTIFICATE_TOKEN');
  await knsock(['certs', 'token', '--withdraw', parseToken(word).id], { cwd: folder });
  const refused = await knsock(['certs', 'enroll', '--token-file', '-', '--dir', 'three', '--debug'], {
    cwd: folder,
    input: word,
  });
  expect(refused).toMatchObject({ code: 22 });
  for (const text of [cut.stderr, refused.stderr, authority.output.toString()])
    expect(text).not.toContain(secret);
  expect(await knsock(['certs', 'enroll', '--dir', 'three'], { cwd: folder })).toMatchObject({ code: 2 });
});

it(
  'renews what is due in every folder, runs the command after it, and says which failed',
  { timeout: 90_000 },
  async () => {
    await enrol('fleet/a', 'a');
    await enrol('fleet/b', 'b');
    const serial = async (name: string): Promise<string> =>
      new X509Certificate(await readFile(path.join(folder, 'fleet', name, 'tls.crt'))).serialNumber;
    const [a, b] = [await serial('a'), await serial('b')];
    const idle = await knsock(['certs', 'renew', '--all', 'fleet'], { cwd: folder });
    expect(idle).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^fleet\/a: not due .*\nfleet\/b: not due /) as string,
    });
    await knsock(['certs', 'token', '--bar', 'b'], { cwd: folder });
    const renewed = await knsock(
      ['certs', 'renew', '--all', 'fleet', '--force', '--exec', 'echo "$KNSOCK_DIR" >> done'],
      { cwd: folder },
    );
    expect(renewed.code).toBe(22);
    expect(renewed.stderr).toContain('fleet/b: ');
    expect(renewed.stderr).toContain('barred from renewal');
    expect(await readFile(path.join(folder, 'done'), 'utf8')).toBe('fleet/a\n');
    expect(await serial('a')).not.toBe(a);
    expect(await serial('b')).toBe(b);
  },
);

it(
  'runs the hook again that failed after a renewal, at the next look, and once',
  { timeout: 90_000 },
  async () => {
    await enrol('hooked/c', 'c');
    const renew = (command: string, ...args: string[]) =>
      knsock(['certs', 'renew', '--all', 'hooked', '--exec', command, ...args], { cwd: folder });
    const note = 'echo ran >> hooked.done';
    expect(await renew('exit 3', '--force')).toMatchObject({
      code: 58,
      stderr: expect.stringContaining('KNSOCK_CERTIFICATE_HOOK') as string,
    });
    expect(await renew('exit 4')).toMatchObject({
      code: 58,
      stdout: expect.stringContaining('not due') as string,
      stderr: expect.stringContaining('failed again: exit 4 exited with 4') as string,
    });
    for (const args of [[], ['--force'], []]) expect(await renew(note, ...args)).toMatchObject({ code: 0 });
    // For the certificate that was owed it, and for the next one.
    expect(await readFile(path.join(folder, 'hooked.done'), 'utf8')).toBe('ran\nran\n');
  },
);

it('renews as a daemon, with the hook, until SIGTERM', { timeout: 120_000 }, async () => {
  await enrol('daemon', 'daemon', '--life', '1m');
  const args = [
    'certs',
    'renew',
    '--dir',
    'daemon',
    '--daemon',
    '--json',
    '--exec',
    'echo renewed >> daemon.done',
  ];
  await using daemon = startKnsock(args, { cwd: folder });
  await daemon.says(/"event":"renewing"/);
  daemon.kill('SIGHUP');
  await daemon.says(/"event":"looking"/);
  // Due at two thirds of its minute, a tenth of which lies before its beginning.
  await daemon.says(/"event":"renewed"/);
  daemon.kill('SIGTERM');
  expect((await daemon.ended()).code).toBe(0);
  expect(await readFile(path.join(folder, 'daemon.done'), 'utf8')).toBe('renewed\n');
});

async function enrol(dir: string, name: string, ...args: string[]): Promise<void> {
  const input = await token('--name', name, ...args);
  expect(
    await knsock(['certs', 'enroll', '--token-file', '-', '--dir', dir], { cwd: folder, input }),
  ).toMatchObject({ code: 0 });
  expect(await readdir(path.join(folder, dir))).toContain('enrolment.json');
}
