import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { toPem } from '@knsock/core/x509';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { createCsr } from '../issuing/csr.js';
import { checkExpiry } from './expiry.js';
import { createSelfSigned } from '../issuing/issue.js';
import { prometheusText } from './prometheus.js';
import { needsRenewal } from '../renewal/renewal.js';
import { openStore } from '../store/store.js';

const DAY = 86_400_000;

/** PKCS#7 with certificates and lists (RFC 2315 9.1), as `openssl crl2pkcs7` writes it. */
function certsOnly(certificates: readonly Buffer[], lists: readonly Buffer[]): Buffer {
  const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    const { length } = content;
    const size =
      length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
    return Buffer.concat([Buffer.of(tag, ...size), content]);
  };
  const oid = (hex: string): Buffer => Buffer.concat([Buffer.of(6, hex.length / 2), Buffer.from(hex, 'hex')]);
  const [signedData, data] = [oid('2a864886f70d010702'), oid('2a864886f70d010701')];
  const signed = Buffer.concat([
    Buffer.of(2, 1, 1, 0x31, 0),
    tlv(0x30, data),
    ...(certificates.length > 0 ? [tlv(0xa0, ...certificates)] : []),
    ...(lists.length > 0 ? [tlv(0xa1, ...lists)] : []),
    Buffer.of(0x31, 0),
  ]);
  return tlv(0x30, signedData, tlv(0xa0, tlv(0x30, signed)));
}
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'knsock-expiry-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const inDays = (days: number) => new Date(Date.now() + days * DAY);

describe('an expiry check', () => {
  it.skipIf(process.platform === 'win32')('waits for no pipe in a folder', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.crt')]);
    await writeFile(join(folder, 'a.crt'), (await createSelfSigned({ names: ['a.test'] })).certificate);
    expect(await checkExpiry({ folders: [folder] })).toMatchObject([{ subject: 'CN=a.test' }]);
  });

  it('has a result for a server whose certificate breaks DER, and one for each of the others', async () => {
    const { certificate, key } = await createSelfSigned({ names: ['localhost'] });
    const der = new X509Certificate(certificate).raw;
    // BOOLEAN TRUE is 0xff in DER; OpenSSL takes any other byte for it too.
    der[der.indexOf(Buffer.from([1, 1, 0xff])) + 2] = 1;
    const server = createServer({ cert: toPem('CERTIFICATE', der), key }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await writeFile(join(folder, 'a.crt'), certificate);
    const endpoints = [{ host: '127.0.0.1', port }];
    const results = await checkExpiry({ folders: [folder], endpoints });
    server.close();
    expect(results.map(({ type, source }) => [type, source])).toEqual([
      ['unreadable', `127.0.0.1:${port}`],
      ['certificate', join(folder, 'a.crt')],
    ]);
  });

  it.each([
    ['no such port', { host: '127.0.0.1', port: 99_999 }, {}, 'port'],
    ['no time at all', { host: '127.0.0.1', port: 1 }, { timeout: 0 }, 'timeout'],
  ])('refuses an endpoint with %s', async (_what, endpoint, options, option) => {
    const checking = checkExpiry({ endpoints: [endpoint], ...options });
    await expect(checking).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it("checks folders and files, the soonest expiry first, and reports what can't be read", async () => {
    await mkdir(join(folder, 'sub'));
    const [soon, later] = [join(folder, 'sub', 'soon.pem'), join(folder, 'later.crt')];
    await writeFile(soon, (await createSelfSigned({ names: ['soon.test'], days: 10 })).certificate);
    await writeFile(later, (await createSelfSigned({ names: ['later.test'] })).certificate);
    await writeFile(join(folder, 'notes.txt'), 'not looked at');
    await writeFile(join(folder, '.later.crt.next'), 'not looked at');
    const results = await checkExpiry({ folders: [folder], files: [join(folder, 'none.crt')] });
    expect(results).toMatchObject([
      {
        source: join(folder, 'none.crt'),
        state: 'unreadable',
        error: { code: 'KNSOCK_CERTIFICATE_NOT_FOUND' },
      },
      { source: soon, subject: 'CN=soon.test', state: 'due', daysLeft: 9 },
      { source: later, subject: 'CN=later.test', state: 'good', daysLeft: 89 },
    ]);
  });

  it.each([
    [-1.5, 'expired', -1],
    [-1 / 24, 'expired', 0],
    [1 / 24, 'due', 0],
    [1.5, 'due', 1],
  ])('counts whole days, of %d days from the end: %s, %d', async (days, state, daysLeft) => {
    const file = join(folder, 'a.crt');
    const { certificate } = await createSelfSigned({ names: ['a.test'] });
    await writeFile(file, certificate);
    const end = Date.parse(new X509Certificate(certificate).validTo);
    const at = new Date(end - days * DAY);
    expect(await checkExpiry({ files: [file], at })).toMatchObject([{ state, daysLeft }]);
  });

  it("reports a folder that can't be read, and what is elsewhere", async () => {
    const folders = [join(folder, 'gone', 'private-key'), folder];
    await writeFile(join(folder, 'a.crt'), (await createSelfSigned({ names: ['a.test'] })).certificate);
    expect(await checkExpiry({ folders })).toMatchObject([
      { source: folders[0], state: 'unreadable', error: { code: 'KNSOCK_CERTIFICATE_NOT_FOUND' } },
      { source: join(folder, 'a.crt'), state: 'good' },
    ]);
  });

  it("leaves out a store's archive, and follows the links of a mounted secret", async () => {
    const store = await openStore(join(folder, 'pki'));
    const authority = await store.createAuthority({ commonName: 'Root' });
    await authority.issue({ kind: 'server', names: ['a.test'] });
    const version = join(folder, 'secret', '..2026_01_01');
    await mkdir(version, { recursive: true });
    await writeFile(join(version, 'tls.crt'), authority.certificate);
    await symlink(join('..2026_01_01', 'tls.crt'), join(folder, 'secret', 'tls.crt'));
    await symlink('nowhere', join(folder, 'secret', 'gone.crt'));
    const results = await checkExpiry({ folders: [folder, join(folder, 'pki', 'issued')] });
    const found = results.map(({ source, state }) => [source.slice(folder.length + 1), state]);
    expect(found.sort()).toEqual([
      ['pki/ca/root.crt', 'good'],
      ['pki/issued/a.test.crt', 'good'],
      ['pki/issued/a.test.crt', 'good'],
      ['secret/gone.crt', 'unreadable'],
      ['secret/tls.crt', 'good'],
    ]);
  });

  it.each([
    [100, 'expired'],
    [80, 'due'],
    [1, 'good'],
    [-2, 'not-yet-valid'],
  ])('%i days from now says %s', async (days, state) => {
    const file = join(folder, 'a.crt');
    await writeFile(file, (await createSelfSigned({ names: ['a.test'] })).certificate);
    expect(await checkExpiry({ files: [file], at: inDays(days) })).toMatchObject([{ state }]);
  });

  it('reads every format of certificates and lists, and skips keys and requests in them', async () => {
    const authority = await createAuthority({ commonName: 'Root' });
    const crl = await authority.crl();
    const { csr, key } = await createCsr({ names: ['a.test'] });
    const derOfPem = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
    const wide = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le');
    const certificate = authority.certificate;
    const bundle = certsOnly([derOfPem(certificate)], [Buffer.from(crl.der)]);
    const dated: [name: string, content: string | Uint8Array, types: string[]][] = [
      ['a.pem', wide(certificate + crl.pem), ['certificate', 'crl']],
      ['b.cer', derOfPem(certificate).toString('base64'), ['certificate']],
      ['c.crl', Buffer.from(crl.der).toString('base64'), ['crl']],
      ['d.p7b', bundle, ['certificate', 'crl']],
      ['e.p7b', toPem('PKCS7', certsOnly([], [Buffer.from(crl.der)])), ['crl']],
      ['f.der', crl.der, ['crl']],
      ['g.pem', certificate.trimEnd().replaceAll('\n', '\\n'), ['certificate']],
    ];
    const undated: [name: string, content: string | Uint8Array][] = [
      ['h.pem', wide(key)],
      ['i.der', derOfPem(key)],
      ['j.pem', wide(csr)],
      ['k.der', derOfPem(csr)],
    ];
    for (const [name, content] of [...dated, ...undated]) await writeFile(join(folder, name), content);
    const found = (await checkExpiry({ folders: [folder] })).map(
      ({ source, type }) => `${source.slice(folder.length + 1)} ${type}`,
    );
    expect(found.sort()).toEqual(dated.flatMap(([name, , types]) => types.map((type) => `${name} ${type}`)));
    expect(await checkExpiry({ files: [join(folder, 'h.pem')] })).toMatchObject([{ type: 'unreadable' }]);
  });

  it('finds a stale revocation list', async () => {
    const file = join(folder, 'root.crl');
    const crl = await (await createAuthority({ commonName: 'Root' })).crl({ days: 3 });
    for (const bytes of [crl.pem, crl.der]) {
      await writeFile(file, bytes);
      expect(await checkExpiry({ files: [file] })).toMatchObject([
        { type: 'crl', issuer: 'CN=Root', state: 'good' },
      ]);
      expect(await checkExpiry({ files: [file], at: inDays(4) })).toMatchObject([{ state: 'stale' }]);
      expect(await checkExpiry({ files: [file], at: inDays(-1) })).toMatchObject([
        { state: 'not-yet-valid' },
      ]);
    }
  });

  it('is written as Prometheus metrics, each series once', async () => {
    const authority = await createAuthority({ commonName: 'a "quoted" \\ name' });
    const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'] });
    const file = join(folder, 'a.pem');
    await writeFile(file, certificate + certificate + (await authority.crl()).pem);
    const results = await checkExpiry({ files: [file, join(folder, 'none.pem')] });
    const text = prometheusText(results);
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    for (const line of samples) expect(line).toMatch(/^[a-z_]+\{([a-z]+="([^"\\]|\\["\\n])*",?)+\} \d+$/);
    expect(new Set(samples.map((line) => line.replace(/ \d+$/, ''))).size).toBe(samples.length);
    expect(
      samples.some(
        (line) => line.startsWith('knsock_crl_next_update_seconds{') && line.includes('a \\\\\\"quoted'),
      ),
    ).toBe(true);
    expect(text).toContain(`knsock_certificate_readable{source="${join(folder, 'none.pem')}"} 0`);
    expect(text.endsWith('\n')).toBe(true);
  });
});

describe('the need for renewal', () => {
  it('comes after two thirds of the validity, with the exit codes of step', async () => {
    const { certificate } = await createSelfSigned({ names: ['a.test'], days: 90 });
    expect(await needsRenewal(certificate, { at: inDays(50) })).toMatchObject({ due: false, exitCode: 1 });
    expect(await needsRenewal(certificate, { at: inDays(70) })).toMatchObject({ due: true, exitCode: 0 });
    expect(await needsRenewal(certificate, { at: inDays(50), renewAt: 0.4 })).toMatchObject({
      due: true,
      exitCode: 0,
    });
    expect(await needsRenewal({ file: join(folder, 'none.crt') })).toMatchObject({ due: false, exitCode: 2 });
    expect(await needsRenewal('garbage')).toMatchObject({ due: false, exitCode: 255 });
  });

  it('is spread among certificates and the same at every check', async () => {
    const certificates = await Promise.all(
      [1, 2, 3, 4, 5, 6].map(() => createSelfSigned({ names: ['a.test'] })),
    );
    const dates = await Promise.all(
      certificates.map(async ({ certificate }) => (await needsRenewal(certificate)).dueAt?.getTime() ?? 0),
    );
    const again = await Promise.all(
      certificates.map(async ({ certificate }) => (await needsRenewal(certificate)).dueAt?.getTime() ?? 0),
    );
    expect(new Set(dates).size).toBe(dates.length);
    expect(Math.max(...dates) - Math.min(...dates)).toBeLessThan((90 * DAY) / 20);
    expect(again).toEqual(dates);
  });
});
