import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientCertificateRefusedError } from '@knsock/core/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Authority } from '../authorities/authority.js';
import { createAuthority } from '../authorities/authority.js';
import type { CertificateError } from '../errors.js';
import type { IssueOptions } from '../issuing/issue.js';
import { createSelfSigned } from '../issuing/issue.js';
import { renew } from './renew.js';
import { barRenewal } from '../enrolment/tokens.js';
import { openStore } from '../store/store.js';
import { watchRenewal } from './watch-renewal.js';

const DAY = 86_400_000;
let folder: string;
let authority: Authority;
let files: { certFile: string; keyFile: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-renew-'));
  files = { certFile: join(folder, 'a.crt'), keyFile: join(folder, 'a.key') };
  authority = await createAuthority({ commonName: 'Root' });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lay = async (options: Omit<IssueOptions, 'kind'> & Partial<IssueOptions>) => {
  const issued = await authority.issue({ kind: 'server', ...options });
  await writeFile(files.certFile, issued.chain);
  await writeFile(files.keyFile, issued.key, { mode: 0o600 });
  return issued;
};
const leaf = async () => new X509Certificate(await readFile(files.certFile));
const later = (days: number) => new Date(Date.now() + days * DAY);

describe('a renewal', () => {
  it('does nothing before it is due', async () => {
    const { chain } = await lay({ names: ['a.test'] });
    expect(await renew({ ...files, issuer: authority, at: later(40) })).toMatchObject({ renewed: false });
    expect(await readFile(files.certFile, 'utf8')).toBe(chain);
    expect((await readdir(folder)).sort()).toEqual(['a.crt', 'a.key']);
  });

  it('refuses what it would replace by another form, and leaves it as it is', async () => {
    const { chain, key, certificate } = await lay({ names: ['a.test'] });
    const refused = async () => {
      const before = [await readFile(files.certFile), await readFile(files.keyFile)];
      const error = await renew({ ...files, issuer: authority, force: true }).catch(
        (cause: unknown) => cause,
      );
      expect([await readFile(files.certFile), await readFile(files.keyFile)]).toEqual(before);
      return (error as CertificateError).message;
    };
    await writeFile(files.certFile, new X509Certificate(certificate).raw);
    expect(await refused()).toContain('a.crt is DER; a renewal replaces PEM files');
    await writeFile(files.certFile, Buffer.from(`\ufeff${chain}`, 'utf16le'));
    expect(await refused()).toContain('a.crt is PEM in UTF-16;');
    await writeFile(files.certFile, chain);
    await writeFile(files.keyFile, createPrivateKey(key).export({ type: 'pkcs8', format: 'der' }));
    expect(await refused()).toContain('a.key is DER;');
    await writeFile(files.certFile, key + chain);
    await rm(files.keyFile);
    await symlink(files.certFile, files.keyFile);
    expect(await refused()).toContain('certificate and key are in one file');
  });

  it('keeps what the certificate says, with a new key', async () => {
    const names = ['a.test', '10.0.0.1', 'spiffe://test/a', 'a@b.test'];
    const old = await lay({
      kind: 'peer',
      names,
      commonName: 'x',
      organizationalUnit: ['ops'],
      days: 30,
      keyType: 'p384',
      crlUrls: ['http://crl.test/a.crl'],
    });
    const result = await renew({ ...files, issuer: authority, at: later(25) });
    const [before, after] = [new X509Certificate(old.certificate), await leaf()];
    expect(result.renewed).toBe(true);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    for (const field of ['subject', 'subjectAltName', 'keyUsage', 'infoAccess'] as const)
      expect(after[field]).toEqual(before[field]);
    const life = (one: X509Certificate) => Date.parse(one.validTo) - Date.parse(one.validFrom);
    expect(life(after)).toBe(life(before));
    expect(after.publicKey.asymmetricKeyDetails).toEqual(before.publicKey.asymmetricKeyDetails);
    expect(after.publicKey.equals(before.publicKey)).toBe(false);
    expect(after.checkPrivateKey(createPrivateKey(await readFile(files.keyFile)))).toBe(true);
    expect((await stat(files.keyFile)).mode & 0o777).toBe(0o600);
  });

  it('keeps the key where peers pin it', async () => {
    const { key } = await lay({ names: ['a.test'] });
    await renew({ ...files, issuer: authority, force: true, reuseKey: true });
    expect(await readFile(files.keyFile, 'utf8')).toBe(key);
  });

  it.each([
    ['pkcs8', false],
    ['pkcs8', true],
    ['sec1', false],
  ] as const)(
    'encrypts the successor of a key that is encrypted (%s, reused: %s)',
    async (type, reuseKey) => {
      const { key, certificate } = await lay({ names: ['a.test'] });
      const [passphrase, cipher] = ['correct horse', 'aes-256-cbc'];
      const encrypted = createPrivateKey(key).export({ type, format: 'pem', cipher, passphrase });
      await writeFile(files.keyFile, encrypted);
      await renew({ ...files, issuer: authority, force: true, reuseKey, keyPassphrase: passphrase });
      expect((await leaf()).fingerprint256).not.toBe(new X509Certificate(certificate).fingerprint256);
      const written = await readFile(files.keyFile, 'utf8');
      expect(written).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
      const opened = createPrivateKey({ key: written, passphrase });
      expect((await leaf()).checkPrivateKey(opened)).toBe(true);
      expect(opened.equals(createPrivateKey(key))).toBe(reuseKey);
    },
  );

  it('writes no key encrypted whose predecessor was not', async () => {
    await lay({ names: ['a.test'] });
    await renew({ ...files, issuer: authority, force: true, keyPassphrase: 'not needed' });
    expect((await leaf()).checkPrivateKey(createPrivateKey(await readFile(files.keyFile)))).toBe(true);
  });

  it('renews a self-signed certificate by itself', async () => {
    const { certificate, key } = await createSelfSigned({ names: ['a.test'] });
    await writeFile(files.certFile, certificate);
    await writeFile(files.keyFile, key);
    expect(await renew({ ...files, issuer: createSelfSigned, force: true })).toMatchObject({ renewed: true });
    expect((await leaf()).verify((await leaf()).publicKey)).toBe(true);
  });

  it('replaces the files of a store and records that there', async () => {
    const store = await openStore(join(folder, 'store'));
    authority = await store.createAuthority({ commonName: 'Root' });
    const issued = await authority.issue({ kind: 'server', names: ['a.test'] });
    const paths = { certFile: issued.files?.certFile ?? '', keyFile: issued.files?.keyFile ?? '' };
    await renew({ ...paths, issuer: authority, force: true });
    expect(await readFile(paths.certFile, 'utf8')).not.toBe(issued.chain);
    expect((await store.certificates()).map(({ commonName }) => commonName)).toEqual([
      'Root',
      'a.test',
      'a.test',
    ]);
  });

  it('is refused for what its authority revoked, and for it alone', async () => {
    await lay({ names: ['a.test'] });
    const other = await createAuthority({ commonName: 'Other' });
    await authority.revoke({ file: files.certFile }, 'superseded');
    const before = await leaf();
    await expect(renew({ ...files, issuer: authority, force: true })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_ENROLMENT',
      message: expect.stringContaining(`${files.certFile} is revoked: superseded`) as string,
    });
    expect((await leaf()).fingerprint256).toBe(before.fingerprint256);
    expect(await renew({ ...files, issuer: other, force: true })).toMatchObject({ renewed: true });
  });

  it('is refused by a store for revoked certificates and barred names, at each of its authorities', async () => {
    const store = await openStore(join(folder, 'store'));
    const root = await store.createAuthority({ commonName: 'Root' });
    const next = await store.createAuthority({ commonName: 'Next', file: 'next', replaces: 'root' });
    const issue = async (name: string) =>
      (await root.issue({ kind: 'server', names: [name] })).files as { certFile: string; keyFile: string };
    const [revoked, barred, neither] = [await issue('a.test'), await issue('b.test'), await issue('c.test')];
    await root.revoke({ file: revoked.certFile });
    await barRenewal(store.directory, 'B.TEST');
    for (const issuer of [root, next]) {
      for (const [pair, words] of [
        [revoked, 'is revoked'],
        [barred, '"b.test" is barred'],
      ] as const)
        await expect(renew({ ...pair, issuer })).rejects.toMatchObject({
          code: 'KNSOCK_CERTIFICATE_ENROLMENT',
          message: expect.stringContaining(words) as string,
        });
      expect(await renew({ ...neither, issuer, force: true })).toMatchObject({ renewed: true });
    }
    await barRenewal(store.directory, 'b.test', { barred: false });
    expect(await renew({ ...barred, issuer: root, force: true })).toMatchObject({ renewed: true });
  });

  it('happens once, with any number of concurrent calls', async () => {
    await lay({ names: ['a.test'] });
    const at = later(80);
    const results = await Promise.all([1, 2, 3].map(() => renew({ ...files, issuer: authority, at })));
    expect((await leaf()).checkPrivateKey(createPrivateKey(await readFile(files.keyFile)))).toBe(true);
    expect(results.filter(({ renewed }) => renewed)).toHaveLength(1);
  });

  it('calls its hook, and reports its failure, with the new files in place', async () => {
    const { certificate } = await lay({ names: ['a.test'] });
    const onRenewed = () => {
      throw new Error('reload failed');
    };
    const failed = renew({ ...files, issuer: authority, force: true, onRenewed });
    await expect(failed).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_HOOK', file: files.certFile });
    expect((await leaf()).fingerprint256).not.toBe(new X509Certificate(certificate).fingerprint256);
  });

  it("doesn't change files that don't match, or when the issuer refuses", async () => {
    await lay({ names: ['a.test'] });
    const refusing = () => Promise.reject(new Error('out of office'));
    await expect(renew({ ...files, issuer: refusing, force: true })).rejects.toThrow('out of office');
    const key = (await createSelfSigned({ names: ['b.test'] })).key;
    await writeFile(files.keyFile, key);
    const mixed = renew({ ...files, issuer: authority, force: true });
    await expect(mixed).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_KEY_MISMATCH',
      file: files.keyFile,
    });
    expect(await readFile(files.keyFile, 'utf8')).toBe(key);
  });
});

describe('a renewal of files that others use', () => {
  it("keeps links, and the group's permission to read the key", async () => {
    await lay({ names: ['a.test'] });
    await chmod(files.keyFile, 0o644);
    const links = { certFile: join(folder, 'live.crt'), keyFile: join(folder, 'live.key') };
    await symlink('a.crt', links.certFile);
    await symlink('a.key', links.keyFile);
    const before = await leaf();
    await renew({ ...links, issuer: authority, force: true });
    expect((await leaf()).fingerprint256).not.toBe(before.fingerprint256);
    expect(await readlink(links.keyFile)).toBe('a.key');
    expect((await stat(files.keyFile)).mode & 0o777).toBe(0o640);
  });

  it('stops waiting for an issuer that never answers, and aborts its signal', async () => {
    await lay({ names: ['a.test'] });
    let told: unknown;
    const issuer = (_: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<never>(() => signal.addEventListener('abort', () => (told = signal.reason as unknown)));
    const late = renew({ ...files, issuer, force: true, issueTimeout: 10 });
    await expect(late).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
    expect(told).toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE' });
    const closing = new AbortController();
    const watching = watchRenewal({ ...files, issuer, renewAt: 0.000_001, signal: closing.signal });
    closing.abort();
    await watching;
  });
});

describe('a renewal watch', () => {
  it("passes on the hint for the issuer's failure", async () => {
    await lay({ names: ['a.test'], days: 1 });
    const closing = new AbortController();
    const refusal = new ClientCertificateRefusedError('expired', 'the server refused our certificate');
    const failed = new Promise<CertificateError>((resolve) => {
      const onError = (error: CertificateError) => {
        resolve(error);
        closing.abort();
      };
      const issuer = () => Promise.reject(refusal);
      void watchRenewal({ ...files, issuer, renewAt: 0.001, signal: closing.signal, onError });
    });
    expect(await failed).toMatchObject({ cause: refusal, hint: refusal.hint });
  });

  it('calls a hook again until it succeeds, without renewing again', async () => {
    await lay({ names: ['a.test'], days: 0.5 });
    const closing = new AbortController();
    const issuer = vi.fn(() => authority.issue({ kind: 'server', names: ['a.test'], days: 300 }));
    const errors: string[] = [];
    let calls = 0;
    const onRenewed = () => {
      calls += 1;
      if (calls < 3) throw new Error('reload failed');
      closing.abort();
    };
    const onError = ({ code }: CertificateError) => {
      errors.push(code);
    };
    const signal = closing.signal;
    await watchRenewal({ ...files, issuer, renewAt: 0.03, retryAfter: 10, signal, onError, onRenewed });
    expect(calls).toBe(3);
    expect(errors).toEqual(['KNSOCK_CERTIFICATE_HOOK', 'KNSOCK_CERTIFICATE_HOOK']);
    expect(issuer).toHaveBeenCalledTimes(1);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ] as unknown as [string, () => void][])(
    'goes on after an onResult that %s, and tells onError',
    async (_how, onResult) => {
      await lay({ names: ['a.test'], days: 0.5 });
      const closing = new AbortController();
      const issuer = vi.fn(() => authority.issue({ kind: 'server', names: ['a.test'], days: 300 }));
      const failed = new Promise<CertificateError>((resolve) => {
        void watchRenewal({
          ...files,
          issuer,
          renewAt: 0.03,
          signal: closing.signal,
          onError: resolve,
          onResult,
        });
      });
      expect(await failed).toMatchObject({
        code: 'KNSOCK_CERTIFICATE_HOOK',
        message: expect.stringContaining('onResult failed') as string,
      });
      closing.abort();
    },
  );

  it("doesn't loop when the new certificate is due again at once", async () => {
    await lay({ names: ['a.test'], days: 1 });
    const closing = new AbortController();
    const issuer = vi.fn(() => authority.issue({ kind: 'server', names: ['a.test'], days: 1 }));
    const failed = new Promise<[CertificateError, number]>((resolve) => {
      const onError = (error: CertificateError, retryIn: number) => {
        resolve([error, retryIn]);
        closing.abort();
      };
      void watchRenewal({ ...files, issuer, renewAt: 0.000_001, signal: closing.signal, onError });
    });
    const [error, retryIn] = await failed;
    expect(error.message).toContain('due again at once');
    expect(retryIn).toBeGreaterThanOrEqual(30_000);
    expect(retryIn).toBeLessThanOrEqual(60_000);
    expect(issuer).toHaveBeenCalledTimes(1);
  });

  it('tries again after a failure, renews, and ends with its signal', async () => {
    await lay({ names: ['a.test'], days: 1 });
    const closing = new AbortController();
    const failures: number[] = [];
    let attempts = 0;
    const issuer: typeof createSelfSigned = (request) => {
      attempts += 1;
      return attempts < 3
        ? Promise.reject(new Error('down'))
        : authority.issue({ ...request, kind: 'server' });
    };
    const results: boolean[] = [];
    // Two thirds of a day are not over yet: what began an hour ago is past a thousandth of its day.
    await watchRenewal({
      ...files,
      issuer,
      renewAt: 0.001,
      retryAfter: 10,
      signal: closing.signal,
      onError: (error, retryIn) => {
        expect(error.message).toContain('down');
        expect(error.hint).toBe(
          'Can the issuer be reached, and does it grant this? The cause is what it said.',
        );
        failures.push(retryIn);
      },
      onResult: ({ renewed }) => {
        results.push(renewed);
        closing.abort();
      },
    });
    expect(results).toEqual([true]);
    expect(failures).toHaveLength(2);
    expect(failures[1]).toBeGreaterThan(failures[0] ?? 0);
  });
});
