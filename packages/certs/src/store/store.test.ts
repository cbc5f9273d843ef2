import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, writeFile, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificate, parseCrl } from '@knsock/core/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCsr } from '../issuing/csr.js';
import type { RevocationReason } from '../revocation/crl.js';
import { openStore } from './store.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knsock-store-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const modeOf = async (...path: string[]) => (await stat(join(directory, ...path))).mode & 0o777;

describe('a store', () => {
  it('keeps an authority and its certificates as files a person can read', async () => {
    const store = await openStore(directory);
    const authority = await store.createAuthority({ commonName: 'Test CA' });
    const issued = await authority.issue({ kind: 'server', names: ['localhost', '127.0.0.1'] });
    expect(issued.files).toEqual({
      certFile: join(directory, 'issued', 'localhost.crt'),
      keyFile: join(directory, 'issued', 'localhost.key'),
    });
    expect(await readFile(join(directory, 'ca', 'root.crt'), 'utf8')).toBe(authority.chain);
    expect(await readFile(join(directory, 'issued', 'localhost.crt'), 'utf8')).toBe(issued.chain);
    expect(await modeOf('issued', 'localhost.key')).toBe(0o600);
    expect(await modeOf('ca', 'root.key')).toBe(0o600);
    expect(await readdir(join(directory, 'issued'))).toEqual(['localhost.crt', 'localhost.key', 'serials']);
  });

  it('continues with the same authority when opened again', async () => {
    const first = await (await openStore(directory)).createAuthority({ commonName: 'Test CA' });
    await first.issue({ kind: 'server', names: ['a.test'] });
    const store = await openStore(directory);
    const again = await store.authority();
    await again.issue({ kind: 'client', commonName: 'alice' });
    expect(again.certificate).toBe(first.certificate);
    expect((await store.certificates()).map(({ kind, commonName }) => `${kind} ${commonName}`)).toEqual([
      'authority Test CA',
      'server a.test',
      'client alice',
    ]);
  });

  it('never overwrites silently', async () => {
    const store = await openStore(directory);
    const authority = await store.createAuthority({ commonName: 'Test CA' });
    await expect(store.createAuthority({ commonName: 'Other' })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_EXISTS',
    });
    const first = await authority.issue({ kind: 'server', names: ['a.test'] });
    const second = authority.issue({ kind: 'server', names: ['a.test'] });
    await expect(second).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_EXISTS',
      file: first.files?.certFile,
    });
    const third = await authority.issue({ kind: 'server', names: ['a.test'], overwrite: true });
    expect(await readFile(join(directory, 'issued', 'a.test.crt'), 'utf8')).toBe(third.chain);
    expect(await readFile(join(directory, 'issued', 'a.test.key'), 'utf8')).toBe(third.key);
  });

  it('encrypts the keys of its authorities and needs the passphrase again', async () => {
    const authority = await (
      await openStore(directory, { passphrase: 'correct horse' })
    ).createAuthority({ commonName: 'Root' });
    const intermediate = await authority.intermediate({ commonName: 'Below', file: 'below' });
    for (const key of [
      authority.key,
      intermediate.key,
      await readFile(join(directory, 'ca', 'below.key'), 'utf8'),
    ]) {
      expect(key).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    }
    for (const options of [{}, { passphrase: 'wrong' }]) {
      const opened = (await openStore(directory, options)).authority('root');
      await expect(opened).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PASSPHRASE' });
    }
    const again = await (
      await openStore(directory, { passphrase: () => 'correct horse' })
    ).authority('below');
    const { chain } = await again.issue({ kind: 'server', names: ['a.test'] });
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  });

  it.each([
    [
      'a file',
      async () => {
        const file = join(directory, 'passphrase');
        await writeFile(file, 'from a file\n');
        return { file };
      },
    ],
    [
      'a named environment variable',
      () => {
        process.env['KNSOCK_TEST_PASSPHRASE'] = 'from the environment';
        return { environment: 'KNSOCK_TEST_PASSPHRASE' };
      },
    ],
  ])('takes the passphrase from %s', async (_, source) => {
    const passphrase = await source();
    await (await openStore(directory, { passphrase })).createAuthority({ commonName: 'Root' });
    await expect((await openStore(directory, { passphrase })).authority()).resolves.toBeDefined();
    delete process.env['KNSOCK_TEST_PASSPHRASE'];
  });

  it("refuses a passphrase with which OpenSSL couldn't open its keys", async () => {
    const longest = await openStore(join(directory, 'a'), { passphrase: 'ü'.repeat(512) });
    await expect(longest.createAuthority({ commonName: 'Root' })).resolves.toBeDefined();
    const tooLong = openStore(join(directory, 'b'), { passphrase: 'ü'.repeat(513) });
    await expect(tooLong).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PASSPHRASE' });
  });

  it.each([
    [{ commonName: 'Ünal Ağa' }, 'Unal-Aga'],
    [{ commonName: '日本', names: ['a.test'] }, undefined],
    [{ names: [`${'a.'.repeat(110)}test`] }, 'a.'.repeat(100)],
    [{ names: ['*.a.test'] }, '_wildcard.a.test'],
    [{ names: ['spiffe://a.test/../b'.replace('/..', '')] }, 'a.test-b'],
    [{ commonName: '../../../etc/passwd' }, 'etc-passwd'],
  ])('names the files of %j so that any file system takes them', async (options, name) => {
    const authority = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
    const { files, certificate } = await authority.issue({ kind: 'client', ...options });
    const serial = new X509Certificate(certificate).serialNumber.toLowerCase();
    expect(files?.certFile).toBe(join(directory, 'issued', `${name ?? serial}.crt`));
  });

  it.each(['../a', 'a/b', '.', '..', '', 'a\\b', 'a\0b', 'a\nb', 'ä', 'a'.repeat(201)])(
    'refuses %j as the name of a file, before anything is made',
    async (name) => {
      const store = await openStore(directory);
      const authority = await store.createAuthority({ commonName: 'Root' });
      const { csr } = await createCsr({ names: ['a.test'] });
      const calls: readonly (readonly [option: string, call: () => Promise<unknown>])[] = [
        ['file', () => authority.issue({ kind: 'client', names: ['a.test'], file: name })],
        ['file', () => authority.sign(csr, { kind: 'client', names: ['a.test'], file: name })],
        ['file', () => authority.intermediate({ commonName: 'Below', file: name })],
        ['file', () => store.createAuthority({ commonName: 'Other', file: name })],
        ['replaces', () => store.createAuthority({ commonName: 'Other', file: 'other', replaces: name })],
        ['name', () => store.authority(name)],
        ['name', () => store.chain(name)],
      ];
      for (const [option, call] of calls)
        await expect(call()).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
      expect(await store.certificates()).toHaveLength(1);
    },
  );

  it('warns of a key that others can read, and says how to fix it', async () => {
    const authority = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
    const { files } = await authority.issue({ kind: 'server', names: ['a.test'] });
    await chmod(files?.keyFile ?? '', 0o640);
    const { warnings } = await openStore(directory);
    expect(warnings).toEqual([
      `${files?.keyFile} can be read by others (mode 0640): chmod 600 ${files?.keyFile}`,
    ]);
  });

  it('continues the numbers of its revocation lists, and keeps what was revoked', async () => {
    const authority = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
    const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'] });
    const { serialNumber, fingerprint256 } = new X509Certificate(certificate);
    await authority.revoke(serialNumber, 'key-compromise');
    expect((await authority.crl()).number).toBe(1);
    const store = await openStore(directory);
    const again = await store.authority();
    await again.revoke(fingerprint256, 'superseded');
    const crl = await again.crl();
    expect(crl.number).toBe(2);
    expect(await readFile(join(directory, 'ca', 'root.crl'), 'utf8')).toBe(crl.pem);
    expect((await store.certificates()).at(-1)?.revoked?.reason).toBe('key-compromise');
  });

  it('ends a hold by a revocation for good, dated as the hold was, and nothing else', async () => {
    const authority = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
    const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'] });
    const held = await authority.revoke(certificate, 'certificate-hold');
    expect(held).toMatchObject({ reason: 'certificate-hold', changed: true });
    expect(await authority.revoke(certificate, 'certificate-hold')).toEqual({ ...held, changed: false });
    const store = await openStore(directory);
    const again = await store.authority();
    const final = { ...held, reason: 'key-compromise', changed: true };
    expect(await again.revoke(certificate, 'key-compromise')).toEqual(final);
    for (const reason of ['superseded', 'certificate-hold'] as const)
      expect(await again.revoke(certificate, reason)).toEqual({ ...final, changed: false });
    const listed = [...parseCrl((await again.crl()).der).entries];
    expect(listed).toMatchObject([{ serial: held.serial, reason: 'keyCompromise' }]);
    expect((await store.certificates()).at(-1)?.revoked).toEqual({ at: held.at, reason: 'key-compromise' });
    await expect(again.checkRenewal(parseCertificate(certificate))).rejects.toThrow('key-compromise');
  });

  it.each(['nobody', 'AB:CD', '00'.repeat(32)])(
    'refuses to revoke %s, which it never issued',
    async (name) => {
      const authority = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
      await expect(authority.revoke(name)).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_NOT_ISSUED_HERE',
      });
    },
  );

  it('revokes the certificate in a file, and refuses an unknown reason before its index is written', async () => {
    const store = await openStore(directory);
    const authority = await store.createAuthority({ commonName: 'Root' });
    const { files } = await authority.issue({ kind: 'server', names: ['a.test'] });
    const certificate = { file: files?.certFile ?? '' };
    const odd = authority.revoke(certificate, 'lost' as RevocationReason);
    await expect(odd).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: 'reason' });
    expect((await store.certificates()).at(-1)?.revoked).toBeUndefined();
    await authority.revoke(certificate, 'superseded');
    expect((await store.certificates()).at(-1)?.revoked?.reason).toBe('superseded');
    const missing = authority.revoke({ file: join(directory, 'none.crt') });
    await expect(missing).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' });
  });

  it('distinguishes authorities that got no files', async () => {
    const root = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
    const one = await root.intermediate({ commonName: 'One', file: false });
    const two = await root.intermediate({ commonName: 'Two', file: false });
    const { certificate } = await one.issue({ kind: 'server', names: ['a.test'] });
    await one.revoke(certificate);
    expect(parseCrl((await one.crl()).der).entries.size).toBe(1);
    expect(parseCrl((await two.crl()).der).entries.size).toBe(0);
  });

  it('says which authority is meant where there are several, and which is missing', async () => {
    const store = await openStore(directory);
    await expect(store.authority()).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' });
    await store.createAuthority({ commonName: 'A', file: 'a' });
    await store.createAuthority({ commonName: 'B', file: 'b' });
    await expect(store.authority()).rejects.toThrow('a, b');
    expect(await store.authorities()).toEqual(['a', 'b']);
    await rm(join(directory, 'ca', 'a.key'));
    await expect(store.authority('a')).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_KEY_ABSENT' });
    await expect(store.authority('c')).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND' });
  });

  it('signs no list from an index that is older than the last list', async () => {
    const authority = await (await openStore(directory)).createAuthority({ commonName: 'Test CA' });
    const { certificate } = await authority.issue({ kind: 'client', commonName: 'alice' });
    const index = join(directory, 'index.jsonl');
    const before = await readFile(index);
    await authority.revoke(certificate);
    const { pem } = await authority.crl();
    await writeFile(index, before);
    await expect(authority.crl()).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_STORE',
      file: index,
      message: expect.stringContaining('is list 1, and the index knows of 0 only') as unknown,
    });
    expect(await readFile(join(directory, 'ca', 'root.crl'), 'utf8')).toBe(pem);
    await rm(join(directory, 'ca', 'root.crl'));
    expect((await authority.crl()).number).toBe(1);
  });

  it('cuts off a torn last line of its index and reads on', async () => {
    const authority = await (await openStore(directory)).createAuthority({ commonName: 'Root' });
    await writeFile(join(directory, 'index.jsonl'), '{"event":"iss', { flag: 'a' });
    await authority.issue({ kind: 'server', names: ['a.test'] });
    expect((await (await openStore(directory)).certificates()).map(({ commonName }) => commonName)).toEqual([
      'Root',
      'a.test',
    ]);
  });

  it('names the damaged line of its index', async () => {
    const store = await openStore(directory);
    await store.createAuthority({ commonName: 'Root' });
    await writeFile(join(directory, 'index.jsonl'), 'nonsense\n', { flag: 'a' });
    await expect(store.certificates()).rejects.toThrow(/line 2 of .*index\.jsonl is damaged/);
  });
});
