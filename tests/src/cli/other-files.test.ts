/** Folders of other programs: certbot's, with keys and requests beside certificates, checked by the command. */
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { createCsr } from '@knsock/certs';
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import * as make from '../x509/issue.js';

let files: CertificateFolder;
let live: string;
beforeAll(async () => {
  files = await createCertificateFolder();
  live = files.at('live/a.test');
  await mkdir(live, { recursive: true });
  const { chain, key } = await files.authority.issue({ kind: 'server', names: ['a.test'], days: 7 });
  const { csr } = await createCsr({ names: ['a.test'] });
  const contents: Record<string, string> = {
    'cert.pem': chain,
    'chain.pem': files.authority.root,
    'fullchain.pem': chain,
    'privkey.pem': key,
    'request.pem': csr,
    'dh.pem': '-----BEGIN DH PARAMETERS-----\nMAYCAQsCAQI=\n-----END DH PARAMETERS-----\n',
    'public.pem': (await readFile(files.at('server.crt'), 'utf8')).replaceAll(' CERTIFICATE', ' PUBLIC KEY'),
    README: 'This folder has your keys and certificates.',
  };
  for (const [name, content] of Object.entries(contents)) await files.write(`live/a.test/${name}`, content);
});
afterAll(() => files[Symbol.asyncDispose]());

describe('certs expiry', () => {
  it('accepts keys, requests and parameters in a folder', async () => {
    const { code, stdout } = await knsock(['certs', 'expiry', files.at('live'), '--days', '1']);
    expect(stdout.match(/^good/gm)).toHaveLength(3);
    expect(stdout).not.toContain('unreadable');
    expect(code).toBe(0);
  });

  it('counts none of them among the readable or the unreadable in its metrics', async () => {
    const { stdout } = await knsock(['certs', 'expiry', files.at('live'), '--prometheus']);
    expect(stdout.match(/^knsock_certificate_readable\{.*\} \d$/gm)).toHaveLength(3);
    expect(stdout).not.toMatch(/readable\{.*\} 0/);
  });

  it('still reports a damaged file in a folder, and a key given by name', async () => {
    await files.write('live/a.test/torn.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n');
    const folder = await knsock(['certs', 'expiry', files.at('live')]);
    expect(folder.stdout).toMatch(/^unreadable .*torn\.pem/m);
    expect(folder.code).toBe(3);
    const key = await knsock(['certs', 'expiry', files.at('live/a.test/privkey.pem')]);
    expect(key.stdout).toContain('it holds a private key ("PRIVATE KEY"), not a certificate');
    await files.write('live/a.test/torn.pem', files.authority.root);
  });

  it.skipIf(process.getuid?.() === 0)('leaves out keys that its user may not read', async () => {
    await chmod(files.at('live/a.test/privkey.pem'), 0);
    const { stdout } = await knsock(['certs', 'expiry', files.at('live')]);
    await chmod(files.at('live/a.test/privkey.pem'), 0o600);
    expect(stdout).not.toContain('unreadable');
  });
});

describe("a file that isn't what a command wants", () => {
  it.each([
    ['renew', 'FILE', 'live/a.test/privkey.pem'],
    ['sign', 'FILE', '--allow', 'a.test'],
    ['revoke', 'FILE'],
    ['convert', 'FILE', '--to', 'pem'],
    ['fingerprint', 'FILE'],
    ['lint', 'FILE'],
    ['verify', 'FILE', '--ca', 'ca.crt'],
    ['match', 'FILE', 'server.key'],
  ])('is named by certs %s', async (...args) => {
    await knsock(['certs', 'ca', 'Root', '--store', 'store'], { cwd: files.at('') });
    const store = ['renew', 'sign', 'revoke'].includes(args[0] ?? '') ? ['--store', 'store'] : [];
    for (const [name, content] of [
      ['garbage.bin', '\0\x01garbage'],
      ['torn.crt', '-----BEGIN CERTIFICATE-----\nMIIB\n'],
    ] as const) {
      await files.write(name, content);
      const command = ['certs', ...args.map((arg) => arg.replace('FILE', name)), ...store];
      const { code, stderr } = await knsock(command, { cwd: files.at('') });
      expect(code, stderr).not.toBe(0);
      expect(stderr).toContain(name);
    }
  });
});

describe('certs revoke', () => {
  it('takes a certificate in any form, and says what is neither a file nor a number', async () => {
    const at = { cwd: files.at('') };
    await knsock(['certs', 'ca', 'Revoking', '--store', 'revoking'], at);
    await knsock(['certs', 'issue', 'b.test', '--store', 'revoking'], at);
    const pem = files.at('revoking/issued/b.test.crt');
    expect(await knsock(['certs', 'convert', pem, '--to', 'der', '--out', 'b.der'], at)).toMatchObject({
      code: 0,
    });
    const revoke = (what: string) => knsock(['certs', 'revoke', what, '--store', 'revoking'], at);
    expect(await revoke('b.der')).toMatchObject({ code: 0 });
    const { code, stderr } = await revoke('missing.crt');
    expect(code).toBe(26);
    expect(stderr).toContain('missing.crt is neither a file nor a serial number or fingerprint');
  });
});

describe('check', () => {
  it('accepts a request in a folder', async () => {
    const { stdout } = await knsock(['check', live, '--json']);
    expect(stdout).not.toContain('"rule":"readable"');
  });

  it('finds names that no client can match, and certificates that knsock refuses', async () => {
    const wish = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
    const odd = make.issueServer({
      ...wish,
      names: ['DNS:https://a.test'],
      extensions: [make.extension('1.2.3.4', make.octets(Buffer.of(1)), true)],
    });
    const file = await files.write('odd.pem', toPem('CERTIFICATE', odd.der));
    const { stdout } = await knsock(['check', file]);
    expect(stdout).toContain('no client can match the name "https://a.test": it is a URL');
    expect(stdout).toContain('has the critical extension 1.2.3.4');
    const lint = await knsock(['certs', 'lint', file]);
    expect(lint.stdout).toMatch(/error no-usable-name: .*is a URL/);
    expect(lint.stdout).toMatch(/error refused: .*1\.2\.3\.4/);
    expect(lint.code).toBe(3);
  });
});
