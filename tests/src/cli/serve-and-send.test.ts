import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startKnsock, startServe, type Running } from '../support/command.js';

let files: CertificateFolder;
let server: string[];
let mutual: string[];
let client: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
  mutual = [...server, '--ca', files.at('ca.crt')];
  client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), '--ca', files.at('ca.crt')];
});
afterAll(() => files[Symbol.asyncDispose]());

describe.each(['knsock', 'lines', 'length-prefixed'] as const)('on the %s framing', (framing) => {
  it("prints a reply a line for messages, and standard input's byte by byte", async () => {
    const { serve, address } = await startServe([...server, '--framing', framing]);
    await using _ = serve;
    const send = ['send', address, '--framing', framing, '--ca', files.at('ca.crt')];
    expect(await knsock([...send, 'one', 'two'])).toEqual({ code: 0, stdout: 'one\ntwo\n', stderr: '' });
    const input = 'first\nsecond\n';
    expect(await knsock(send, { input })).toEqual({ code: 0, stdout: input, stderr: '' });
  });
});

describe('on the raw framing', () => {
  it('carries streams byte by byte, however large', async () => {
    const { serve, address } = await startServe([...server, '--framing', 'raw']);
    await using _ = serve;
    const input = randomBytes(3_000_000);
    const send = startKnsock(['send', address, '--framing', 'raw', '--ca', files.at('ca.crt')]);
    await using __ = send;
    send.stdin.end(input);
    expect((await send.ended()).code).toBe(0);
    expect(send.output.equals(input)).toBe(true);
  });
});

describe('knsock serve', () => {
  it('accepts clients that the flags admit, and tells the others why not', async () => {
    const { serve, address } = await startServe([...mutual, '--allow-cn', 'app']);
    await using _ = serve;
    expect(await knsock(['send', address, 'hello', ...client])).toMatchObject({ code: 0, stdout: 'hello\n' });
    const other = await files.authority.issue({ kind: 'client', commonName: 'other', days: 7 });
    const cert = await files.write('other.crt', other.chain);
    const key = await files.write('other.key', other.key);
    const refused = await knsock([
      'send',
      address,
      'hello',
      '--cert',
      cert,
      '--key',
      key,
      '--ca',
      files.at('ca.crt'),
    ]);
    expect(refused).toMatchObject({ code: 67, stdout: '' });
    expect(refused.stderr).toContain('KNSOCK_CLIENT_CERTIFICATE_REFUSED');
  });

  it('requires a certificate if it has a CA to verify it, unless configured otherwise', async () => {
    const { serve, address } = await startServe(mutual);
    await using _ = serve;
    const anonymous = ['send', address, 'hello', '--ca', files.at('ca.crt')];
    expect(await knsock(anonymous)).toMatchObject({ code: 67, stdout: '' });
    expect(await knsock(['send', address, 'hello', ...client])).toMatchObject({ code: 0 });
    const lenient = await startServe([...mutual, '--client-cert', 'request']);
    await using __ = lenient.serve;
    anonymous[1] = lenient.address;
    expect(await knsock(anonymous)).toMatchObject({ code: 0, stdout: 'hello\n' });
  });

  it('refuses clients named by --deny-from', async () => {
    const { serve, address } = await startServe([...server, '--deny-from', '127.0.0.0/8']);
    await using _ = serve;
    const refused = await knsock(['send', address, 'hello', '--ca', files.at('ca.crt')]);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout).toBe('');
  });

  it('finishes what is in flight on SIGTERM, and ends at once on the second', async () => {
    const { serve, address } = await startServe([...server, '--framing', 'raw']);
    await using _ = serve;
    await using send = talking(address);
    await serve.says(/"event":"open"/);
    serve.kill('SIGTERM');
    await serve.says(/"event":"draining".*"connections":1/);
    serve.kill('SIGTERM');
    expect((await serve.ended()).code).toBe(128 + 15);
    await send.ended();
  });

  it('stops with 0 once the last connection has ended', async () => {
    const { serve, address } = await startServe([...server, '--framing', 'raw']);
    await using _ = serve;
    await using send = talking(address);
    await serve.says(/"event":"open"/);
    serve.kill('SIGTERM');
    await serve.says(/"event":"draining"/);
    send.stdin.end();
    expect((await serve.ended()).code).toBe(0);
  });

  it("serves the new certificate after SIGHUP, and keeps the old one if the new one can't be used", async () => {
    const cert = await files.write('rotating.crt', (await issue('first')).chain);
    const pair = await issue('first');
    await files.write('rotating.crt', pair.chain);
    const key = await files.write('rotating.key', pair.key);
    const { serve, address } = await startServe(['--cert', cert, '--key', key]);
    await using _ = serve;
    expect((await verbose(address)).stderr).toContain('CN=first');
    await files.write('rotating.crt', 'garbage');
    serve.kill('SIGHUP');
    await serve.says(/"event":"failure".*KNSOCK_CREDENTIALS_MALFORMED/);
    expect((await verbose(address)).stderr).toContain('CN=first');
    const next = await issue('second');
    await files.write('rotating.crt', next.chain);
    await files.write('rotating.key', next.key);
    serve.kill('SIGHUP');
    await serve.says(/"event":"reloaded"/);
    expect((await verbose(address)).stderr).toContain('CN=second');
  });
});

function issue(commonName: string) {
  return files.authority.issue({ kind: 'server', commonName, names: ['localhost'], days: 7 });
}

function verbose(address: string) {
  return knsock(['send', address, 'hello', '-v', '--ca', files.at('ca.crt')]);
}

/** A client that stays until its input ends. */
function talking(address: string): Running {
  return startKnsock(['send', address, '--framing', 'raw', '--ca', files.at('ca.crt')]);
}
