/** `knsock certs renew` of a certificate in its files, by an authority of a store. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { knsock, type Ended } from '../support/command.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-renew-files-'));
  await succeeds('ca', 'Own');
  await succeeds('issue', 'a.example', '--file', 'a');
});
afterEach(() => rm(folder, { recursive: true }));

const run = (...args: string[]): Promise<Ended> => knsock(['certs', ...args], { cwd: folder });
const contents = (file: string) => readFile(path.join(folder, file), 'utf8');
const renew = ['renew', 'certs/issued/a.crt', 'certs/issued/a.key', '--force'];

async function succeeds(...args: string[]): Promise<Ended> {
  const ended = await run(...args);
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
  return ended;
}

async function refused(...args: string[]): Promise<string> {
  const files = ['certs/issued/a.crt', 'certs/issued/a.key'];
  const before = await Promise.all(files.map(contents));
  const { code, stderr } = await run(...args);
  expect(code, stderr).not.toBe(0);
  expect(await Promise.all(files.map(contents))).toEqual(before);
  return stderr;
}

describe('certs renew', () => {
  it('leaves a certificate to its issuer, unless another authority is named', async () => {
    await succeeds('ca', 'Own', '--store', 'other');
    const said = await refused(...renew, '--store', 'other');
    expect(said).toContain('KNSOCK_CERTIFICATE_NOT_ISSUED_HERE');
    expect(said).toContain('its issuer is CN=Own');
    expect(said).toContain('--authority NAME');
    await succeeds(...renew, '--store', 'other', '--authority', 'root');
    const [moved, other] = await Promise.all(['certs/issued/a.crt', 'other/ca/root.crt'].map(contents));
    expect(new X509Certificate(moved ?? '').verify(new X509Certificate(other ?? '').publicKey)).toBe(true);
  });

  it("renews what a root's predecessor issued", async () => {
    await succeeds('ca', 'Next', '--replaces', 'root', '--name', 'next');
    await rm(path.join(folder, 'certs', 'ca', 'root.key'));
    await succeeds(...renew);
    expect(new X509Certificate(await contents('certs/issued/a.crt')).issuer).toBe('CN=Next');
  });

  it('keeps a key encrypted', async () => {
    const [passphrase, cipher] = ['correct horse', 'aes-256-cbc'];
    const key = createPrivateKey(await contents('certs/issued/a.key'));
    const encrypted = key.export({ type: 'pkcs8', format: 'pem', cipher, passphrase });
    await writeFile(path.join(folder, 'certs/issued/a.key'), encrypted);
    await writeFile(path.join(folder, 'word'), passphrase);
    expect(await refused(...renew)).toContain('KNSOCK_CERTIFICATE_PASSPHRASE');
    const before = await contents('certs/issued/a.crt');
    await succeeds(...renew, '--passphrase-file', 'word');
    expect(await contents('certs/issued/a.crt')).not.toBe(before);
    const written = await contents('certs/issued/a.key');
    expect(written).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(createPrivateKey({ key: written, passphrase }).equals(key)).toBe(false);
  });

  it("doesn't renew a revoked certificate, not even with --force", async () => {
    await succeeds('revoke', 'certs/issued/a.crt', '--reason', 'key-compromise');
    for (const args of [renew, renew.slice(0, 3), [...renew, '--authority', 'root']]) {
      const said = await refused(...args);
      expect(said).toContain('certs/issued/a.crt is revoked: key-compromise');
      expect(said).toContain('KNSOCK_CERTIFICATE_ENROLMENT');
    }
  });

  it("doesn't renew a certificate of a barred name until that is admitted again", async () => {
    await succeeds('token', '--bar', 'A.Example');
    for (const args of [renew, renew.slice(0, 3), [...renew, '--authority', 'root']]) {
      const said = await refused(...args);
      expect(said).toContain('certs/issued/a.crt isn\'t renewed: "a.example" is barred from renewal');
      expect(said).toContain('--unbar');
    }
    await succeeds('token', '--unbar', 'a.EXAMPLE');
    await succeeds(...renew);
  });

  it("says that a CA's certificate is made by another command", async () => {
    await succeeds('ca', 'Issuing', '--under', 'root', '--name', 'issuing');
    for (const name of ['root', 'issuing']) {
      const pair = [`certs/ca/${name}.crt`, `certs/ca/${name}.key`];
      const said = await refused('renew', ...pair, '--force', '--authority', 'root');
      expect(said).toContain(`${name}.crt is a CA's certificate`);
      expect(said).toContain('knsock certs ca NAME --replaces');
    }
  });
});
