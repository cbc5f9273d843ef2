import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, knsockCommand, startServe } from '../support/command.js';

let files: CertificateFolder;
let server: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
});
afterAll(() => files[Symbol.asyncDispose]());

describe('help', () => {
  it('is shown, as a failure, if no command is given', async () => {
    const { code, stdout, stderr } = await knsock([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: knsock/);
    expect(stderr).not.toContain('hint:');
  });

  it.each([['--help'], ['send', '--help'], ['help', 'send']])(
    'is data where it was asked for: %j',
    async (...args) => {
      const { code, stdout, stderr } = await knsock(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^Usage: knsock/);
      expect(stdout).toContain('Examples:');
    },
  );
});

describe('colours', () => {
  const failing = ['send', 'no-such-host.invalid:1', 'x'];
  const ESCAPE = '\u001b[';

  it.each([
    [{}, false],
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    [{ FORCE_COLOR: '1', NO_COLOR: '' }, true],
    [{ FORCE_COLOR: '0' }, false],
  ])('without a terminal and with %j: %s', async (env, colored) => {
    expect((await knsock(failing, { env })).stderr.includes(ESCAPE)).toBe(colored);
  });
});

describe('quiet', () => {
  it('omits messages, but not errors', async () => {
    const { serve, address } = await startServe(server);
    await using _ = serve;
    const send = ['send', address, 'hello', '-v', '--ca', files.at('ca.crt')];
    expect((await knsock(send)).stderr).toContain('CN=localhost');
    expect(await knsock([...send, '--quiet'])).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
    expect((await knsock(['send', 'localhost', '--quiet'])).stderr).toContain("isn't an address");
  });
});

describe('a stack trace', () => {
  it.each([
    ['send', 'no-such-host.invalid:1', 'x'],
    ['certs', 'inspect', 'nowhere.crt'],
  ])('is shown with --debug alone, and names files: %s', async (...args) => {
    const { stderr } = await knsock(args);
    expect(stderr).toContain('code: KNSOCK_');
    expect(stderr).not.toMatch(/^ +at /m);
    expect((await knsock([...args, '--debug'])).stderr).toMatch(/^ +at .*\/dist\/[\w-]+\.c?js:\d+/m);
  });
});

describe('environment', () => {
  it('sets defaults for options, which take precedence', async () => {
    const env = { KNSOCK_CERT: files.at('server.crt'), KNSOCK_KEY: files.at('server.key') };
    const { serve, address } = await startServe([], { env });
    await using _ = serve;
    const send = ['send', address, 'hello'];
    expect(await knsock(send, { env: { KNSOCK_CA: files.at('ca.crt') } })).toMatchObject({
      code: 0,
      stdout: 'hello\n',
    });
    const wrong = { env: { KNSOCK_CA: files.at('nowhere.crt') } };
    expect((await knsock(send, wrong)).code).toBe(26);
    expect((await knsock([...send, '--ca', files.at('ca.crt')], wrong)).code).toBe(0);
  });

  it("doesn't ask clients for certificates where a flag says that none is wanted", async () => {
    const env = {
      KNSOCK_CERT: files.at('server.crt'),
      KNSOCK_KEY: files.at('server.key'),
      KNSOCK_CA: files.at('ca.crt'),
    };
    const { serve, address } = await startServe(['--client-cert', 'none'], { env });
    await using _ = serve;
    const answered = await knsock(['send', address, 'hello', '--ca', files.at('ca.crt')]);
    expect(answered).toMatchObject({ code: 0, stdout: 'hello\n' });
  });
});

describe('a reader that leaves', () => {
  it.each([[['--version']], [['--help']], [['completion', 'bash']], [['doctor']]])(
    'is no failure of %j',
    async (args) => {
      const [program, ...rest] = knsockCommand;
      const child = spawn(program, [...rest, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
      let stderr = '';
      child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
      child.stdout.destroy();
      const [code] = (await once(child, 'close')) as [number | null];
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    },
  );

  it('ends a long output without an error', async () => {
    const { serve, address } = await startServe([...server, '--framing', 'raw', '--exec', 'yes']);
    await using _ = serve;
    const [program, ...rest] = knsockCommand;
    const send = [...rest, 'send', address, '--framing', 'raw', '--ca', files.at('ca.crt')];
    const child = spawn(program, send, { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe.skipIf(process.platform !== 'linux')('to a full disk', () => {
  it.each([['doctor'], ['--version'], ['--help'], ['help certs'], ['docs cli']])(
    "%s says that its output can't be written",
    async (line) => {
      const [program, ...rest] = knsockCommand;
      const full = openSync('/dev/full', 'w');
      try {
        const child = spawn(program, [...rest, ...line.split(' ')], { stdio: ['ignore', full, 'pipe'] });
        let stderr = '';
        child.stderr?.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
        const [code] = (await once(child, 'close')) as [number | null];
        expect(code).toBe(23);
        expect(stderr).toMatch(
          /standard output can't be written\n {2}why: {2}.*ENOSPC[^]*code: KNSOCK_WRITE \(exit 23\)/,
        );
      } finally {
        closeSync(full);
      }
    },
  );
});

describe('knsock doctor', () => {
  it('shows versions and what the machine can do, as text and as JSON', async () => {
    const { code, stdout } = await knsock(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toContain(process.versions.openssl);
    expect(stdout).toMatch(/^TLS versions: +TLSv1\.2, TLSv1\.3$/m);
    const data = JSON.parse((await knsock(['doctor', '--json'])).stdout) as object;
    expect(data).toMatchObject({
      versions: { node: process.versions.node },
      tls: { versions: ['TLSv1.2', 'TLSv1.3'] },
      terminal: { input: false, output: false, errors: false },
    });
  });

  it('names variables and hides their values', async () => {
    const { stdout } = await knsock(['doctor'], { env: { KNSOCK_PASSPHRASE: 'open sesame' } });
    expect(stdout).toMatch(/^environment: .*KNSOCK_PASSPHRASE/m);
    expect(stdout).not.toContain('open sesame');
  });
});
