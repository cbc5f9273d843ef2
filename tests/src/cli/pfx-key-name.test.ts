/** A PKCS#12 file with several keys, of which one is named, in the commands that look into files or show a certificate. */
import { readFile } from 'node:fs/promises';
import { parseCertificates } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock } from '../support/command.js';
import { answerer, startProxy } from '../support/proxying.js';
import { severalKeys } from '../support/several-keys.js';

let files: CertificateFolder;
let pfx: string;
beforeAll(async () => {
  files = await createCertificateFolder();
  const text = (name: string): Promise<string> => readFile(files.at(name), 'utf8');
  const pair = async (name: string) => ({ chain: await text(`${name}.crt`), key: await text(`${name}.key`) });
  pfx = await files.write(
    'two.p12',
    severalKeys({ server: await pair('server'), client: await pair('client') }),
  );
});
afterAll(() => files[Symbol.asyncDispose]());

describe('--pfx-key-name', () => {
  it('selects what certs match compares, on both sides', async () => {
    const match = (certificate: string, key: string, ...name: string[]) =>
      knsock(['certs', 'match', certificate, key, ...name.flatMap((one) => ['--pfx-key-name', one])]);
    expect(await match(files.at('client.crt'), pfx, 'client')).toMatchObject({ code: 0 });
    expect(await match(files.at('client.crt'), pfx, 'server')).toMatchObject({ code: 58 });
    expect(await match(pfx, files.at('server.key'), 'server')).toMatchObject({ code: 0 });
    expect(await match(pfx, files.at('server.key'), 'client')).toMatchObject({ code: 58 });
    const wrong = await match(pfx, pfx, 'nobody');
    expect(wrong.stderr).toMatch(/two\.p12: .*no key named "nobody"; it has "server", "client"/);
  });

  it('narrows certs inspect to one key and its chain', async () => {
    const shown = await knsock(['certs', 'inspect', pfx, '--pfx-key-name', 'client', '--json']);
    const { items } = JSON.parse(shown.stdout) as {
      items: { type: string; friendlyName?: string; subject?: string }[];
    };
    expect(items.map(({ type }) => type)).toEqual(['private-key', 'certificate']);
    expect(items[0]?.friendlyName).toBe('client');
    expect(items[1]?.subject).toBe('CN=app');
    const missing = await knsock(['certs', 'inspect', pfx, '--pfx-key-name', 'nobody']);
    expect(missing).toMatchObject({
      code: 58,
      stderr: expect.stringContaining('"server", "client"') as unknown,
    });
  });

  it('selects what certs convert converts', async () => {
    const convert = (...args: string[]) => knsock(['certs', 'convert', pfx, '--to', 'pem', ...args]);
    for (const name of ['client', 'server']) {
      const { stdout } = await convert('--pfx-key-name', name);
      const [own] = parseCertificates(stdout);
      expect(own?.pem).toBe(await readFile(files.at(`${name}.crt`), 'utf8'));
    }
    expect(await convert('--pfx-key-name', 'nobody')).toMatchObject({
      code: 58,
      stderr: expect.stringContaining('"server", "client"') as unknown,
    });
  });

  it('selects the certificate that a proxy sends to its target', async () => {
    const ca = ['--ca', files.at('ca.crt')];
    const server = ['--cert', files.at('server.crt'), '--key', files.at('server.key'), ...ca];
    const client = ['--cert', files.at('client.crt'), '--key', files.at('client.key'), ...ca];
    await using target = await answerer();
    await using inner = await startProxy('server', [
      '--target',
      target.address,
      ...server,
      '--allow-cn',
      'app',
    ]);
    const tls = ['--target', inner.address, '--target-tls', '--target-ca', files.at('ca.crt')];
    const shown = ['--target-pfx', pfx, '--target-pfx-key-name', 'client'];
    await using outer = await startProxy('server', [...tls, ...shown, ...server, '--allow-all']);
    const sent = await knsock(['send', outer.address, '--framing', 'raw', ...client], { input: 'hello' });
    expect(sent).toMatchObject({ code: 0, stdout: 'got hello' });
  });

  it('of a target needs --target-tls', async () => {
    const refused = await knsock([
      'proxy',
      'server',
      '--listen',
      '127.0.0.1:0',
      '--target',
      '127.0.0.1:1',
      '--allow-all',
      '--target-pfx',
      pfx,
    ]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Add --target-tls') as unknown,
    });
  });
});
