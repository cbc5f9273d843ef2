import { execFile } from 'node:child_process';
import { constants, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { createAuthority, createCsr, toPkcs12 } from '@knsock/certs';
import { toPem } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, knsockCommand, startServe } from '../support/command.js';
import { basicConstraints, issue } from '../x509/issue.js';

interface Report {
  readonly target: string;
  readonly passed: string[];
  readonly findings: { rule: string; severity: string; evidence: string }[];
  readonly notes: string[];
  readonly accepted: unknown[];
}

let files: CertificateFolder;
let ca: string[];
beforeAll(async () => {
  files = await createCertificateFolder();
  ca = ['--ca', files.at('ca.crt')];
});
afterAll(() => files[Symbol.asyncDispose]());

/** Runs the check and reads its reports, a line each. */
async function check(...args: string[]): Promise<{ code: number | null; reports: Report[] }> {
  const { code, stdout, stderr } = await knsock(['check', '--json', ...args]);
  expect(stderr).toBe('');
  const reports = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Report);
  return { code, reports };
}

function rules(report: Report | undefined, severity: string): string[] {
  return (report?.findings ?? []).filter((finding) => finding.severity === severity).map(({ rule }) => rule);
}

/** The folder is only its owner's; while `run` runs, others can enter. */
async function opening(run: () => Promise<void>, mode = 0o755): Promise<void> {
  await chmod(files.at('.'), mode);
  try {
    await run();
  } finally {
    await chmod(files.at('.'), 0o700);
  }
}

describe('knsock check on files', () => {
  it('finds nothing bad in what it would make itself', async () => {
    const { code, reports } = await check(files.at('server.crt'), files.at('server.key'), files.at('ca.crt'));
    expect(code).toBe(0);
    expect(reports.map((report) => rules(report, 'error'))).toEqual([[], []]);
    expect(reports[0]?.passed).toEqual(expect.arrayContaining(['verification', 'strong-keys', 'key-match']));
  });

  it('reports a key of another certificate, and one that others can read', async () => {
    const key = await files.write('open.key', await readFile(files.at('client.key')));
    await chmod(key, 0o644);
    const inPrivate = await check(files.at('server.crt'), key);
    expect(rules(inPrivate.reports[0], 'error')).toEqual(['key-match']);
    await opening(async () => {
      const { code, reports } = await check(files.at('server.crt'), key);
      expect(code).toBe(3);
      expect(rules(reports[0], 'error')).toEqual(['key-match', 'key-permissions']);
    });
  });

  it('warns of a key that a group can read, by its own bits or by those of the folder', async () => {
    const key = await files.write('shared.key', await readFile(files.at('server.key')));
    for (const [folder, file] of [
      [0o755, 0o640],
      [0o750, 0o604],
      [0o711, 0o640],
    ] as const) {
      await chmod(key, file);
      await opening(async () => {
        const { code, reports } = await check(files.at('server.crt'), key, files.at('ca.crt'));
        expect([code, rules(reports[0], 'warning')]).toEqual([0, ['key-permissions']]);
      }, folder);
    }
  });

  it("reports a chain that the CA didn't issue", async () => {
    const { reports } = await check(files.at('server.crt'), '--ca', await otherCa());
    expect(reports[0]?.findings).toContainEqual(
      expect.objectContaining({
        rule: 'verification',
        evidence: expect.stringContaining('unknown-issuer') as string,
      }),
    );
  });

  it('reports a key that belongs to no certificate given, and names the key of one', async () => {
    const { code, reports } = await check(
      ...['server.crt', 'server.key', 'client.key', 'ca.crt'].map((name) => files.at(name)),
    );
    expect(code).toBe(3);
    expect(reports.map((report) => [path.basename(report.target), rules(report, 'error')])).toEqual([
      ['server.crt', []],
      ['ca.crt', []],
      ['client.key', ['key-match']],
    ]);
    expect(reports[2]?.findings[0]?.evidence).toContain('client.key belongs to no certificate given');
    expect(reports[0]?.notes).toEqual([`its key is ${files.at('server.key')}`]);
  });

  it('takes a key for that of a request, or of a public key, that is there', async () => {
    const { key, csr } = await createCsr({ names: ['a.test'] });
    const both = [await files.write('later.key', key), await files.write('later.csr', csr)];
    const { code } = await check(files.at('server.crt'), files.at('server.key'), files.at('ca.crt'), ...both);
    expect(code).toBe(0);
  });

  it('says that an encrypted key is not checked, and compares it where there is a passphrase', async () => {
    const locked = async (name: string): Promise<string> => {
      const key = createPrivateKey(await text(name));
      const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'sesame' } as const;
      return files.write(`locked-${name}`, key.export(options));
    };
    const closed = await check(files.at('server.crt'), await locked('server.key'), files.at('ca.crt'));
    expect(closed.code).toBe(0);
    expect(closed.reports[2]?.notes[0]).toContain('not checked: it is encrypted');
    expect(closed.reports.flatMap(({ passed }) => passed)).not.toContain('key-match');
    const secret = ['--passphrase-file', await files.write('sesame', 'sesame\n')];
    const opened = await check(files.at('server.crt'), await locked('server.key'), ...secret);
    expect(opened.reports[0]?.passed).toContain('key-match');
    const other = await check(files.at('server.crt'), await locked('client.key'), ...secret);
    expect([other.code, rules(other.reports[0], 'error')]).toEqual([3, ['key-match']]);
    const wrong = ['--passphrase-file', await files.write('wrong', 'wrong\n')];
    const refused = await check(files.at('server.crt'), await locked('server.key'), ...wrong);
    expect([refused.code, rules(refused.reports[0], 'error')]).toEqual([3, ['readable']]);
  });

  it("checks a CA certificate beside its key as a server's own, if it may be one", async () => {
    const notBefore = new Date(Date.now() - 1_000);
    const notAfter = new Date(Date.now() + 90 * 86_400_000);
    const extensions = [basicConstraints(true)];
    const made = issue({ subject: 'CN=localhost', extensions, notBefore, notAfter });
    const { code, reports } = await check(
      await files.write('openssl.crt', toPem('CERTIFICATE', made.der)),
      await files.write('openssl.key', made.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    );
    expect([code, rules(reports[0], 'error')]).toEqual([3, ['names']]);
    const authority = await createAuthority({ commonName: 'CA' });
    const own = await check(
      await files.write('own.crt', authority.root),
      await files.write('own.key', authority.key ?? ''),
    );
    expect([own.code, rules(own.reports[0], 'error')]).toEqual([0, []]);
  });

  it("reports files that aren't what they appear to be, and still checks the others", async () => {
    const broken = await files.write(
      'broken.crt',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    );
    const key = await files.write(
      'broken.key',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    );
    const { code, reports } = await check(broken, key, files.at('server.crt'));
    expect(code).toBe(3);
    expect(reports.map((report) => rules(report, 'error'))).toEqual([['readable'], ['readable'], []]);
  });

  it('reads certificate and key from one file', async () => {
    const both =
      (await readFile(files.at('server.crt'), 'utf8')) + (await readFile(files.at('server.key'), 'utf8'));
    const { code, reports } = await check(await files.write('both.pem', both));
    expect(code).toBe(0);
    expect(reports[0]?.passed).toEqual(
      expect.arrayContaining(['strong-keys', 'key-match', 'key-permissions']),
    );
  });

  it('opens PKCS#12 files, also those of a folder', async () => {
    const chain = (await text('server.crt')) + (await text('ca.crt'));
    const folder = await mkdtemp(files.at('pkcs12-'));
    const file = path.join(folder, 'server.p12');
    await writeFile(file, await toPkcs12({ chain, key: await text('server.key') }, 'open sesame'), {
      mode: 0o644,
    });
    await chmod(folder, 0o755);
    const closed = await check(folder);
    expect(closed.code).toBe(3);
    expect(closed.reports.map((report) => rules(report, 'error'))).toEqual([['readable']]);
    const passphrase = ['--passphrase-file', await files.write('passphrase', 'open sesame\n')];
    await opening(async () => {
      const { reports } = await check(folder, ...passphrase);
      expect(reports).toHaveLength(1);
      expect(rules(reports[0], 'error')).toEqual(['key-permissions']);
      expect(reports[0]?.passed).toEqual(
        expect.arrayContaining(['verification', 'strong-keys', 'key-match']),
      );
    });
  });

  it('treats all certificates of a bundle of CAs as CAs', async () => {
    const bundle = (await text('ca.crt')) + (await readFile(await otherCa(), 'utf8'));
    const { code, reports } = await check(await files.write('bundle.pem', bundle));
    expect([code, rules(reports[0], 'error')]).toEqual([0, []]);
  });

  it('refuses a revocation policy without a list', async () => {
    const { code, stderr } = await knsock(['check', files.at('server.crt'), '--revocation-depth', 'chain']);
    expect(code).toBe(2);
    expect(stderr).toContain('no revocation list is among the files');
  });

  it("says of a revocation list that can't be read that it can't, whatever the policy", async () => {
    const list = (await files.authority.crl()).pem.replace(/\n.{8}/, '\nAAAAAAAA');
    const broken = await files.write('broken.crl', list);
    const policy = ['--revocation-depth', 'chain'];
    const { code, reports } = await check(files.at('server.crt'), broken, ...policy);
    expect(code).toBe(3);
    expect(reports.map((report) => [report.target, rules(report, 'error')])).toContainEqual([
      broken,
      ['readable'],
    ]);
  });

  it('reports an overdue revocation list', async () => {
    const fresh = await files.write('fresh.crl', (await files.authority.crl()).pem);
    const { reports } = await check(files.at('server.crt'), fresh);
    expect(reports.map(({ target }) => target)).toEqual([files.at('server.crt'), fresh]);
    expect(reports[0]?.passed).toContain('revocation');
    expect(reports[1]?.passed).toEqual(['readable', 'crl-freshness']);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 8 * 86_400_000 });
    const overdue = await files.write('overdue.crl', (await files.authority.crl({ days: 7 })).pem);
    vi.useRealTimers();
    const { code, reports: late } = await check(overdue);
    expect(code).toBe(3);
    expect(late.map((report) => rules(report, 'error'))).toEqual([['crl-freshness']]);
  });

  it('accepts what the baseline lists, and nothing else', async () => {
    const baseline = files.at('baseline');
    const strict = [files.at('server.crt'), '--fail-on', 'notice'];
    expect((await check(...strict, '--write-baseline', baseline)).code).toBe(3);
    expect(await readFile(baseline, 'utf8')).toBe(`revocation ${files.at('server.crt')}\n`);
    const { code, reports } = await check(...strict, '--baseline', baseline);
    expect(code).toBe(0);
    expect(reports[0]?.accepted).toHaveLength(1);
  });

  function text(name: string): Promise<string> {
    return readFile(files.at(name), 'utf8');
  }

  async function otherCa(): Promise<string> {
    await using other = await createCertificateFolder();
    return await files.write('other-ca.crt', await readFile(other.at('ca.crt')));
  }
});

describe('knsock check on servers', () => {
  it('finds nothing on our own', async () => {
    const server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
    const { serve, address } = await startServe([...server, ...ca, '--client-cert', 'require']);
    await using _ = serve;
    const { code, reports } = await check(address, ...ca);
    expect(code).toBe(0);
    expect([rules(reports[0], 'error'), rules(reports[0], 'warning')]).toEqual([[], []]);
    expect(reports[0]?.passed).toEqual(
      expect.arrayContaining(['mutual-tls', 'tls13', 'ciphers', 'renegotiation']),
    );
  });

  it('finds the weaknesses of a badly configured one', async () => {
    const careless = createServer({
      cert: await readFile(files.at('server.crt')),
      key: await readFile(files.at('server.key')),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.2',
      ciphers: 'ALL:@SECLEVEL=0',
      honorCipherOrder: false,
      sigalgs: 'ECDSA+SHA1:ECDSA+SHA256',
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    careless.on('secureConnection', (socket) => socket.on('error', () => undefined).end());
    careless.listen(0, '127.0.0.1');
    await once(careless, 'listening');
    const { port } = careless.address() as AddressInfo;
    const { code, reports } = await check(`localhost:${port}`, ...ca);
    careless.close();
    expect(code).toBe(3);
    expect(rules(reports[0], 'error')).toEqual(['minimum-tls', 'ciphers', 'signature-algorithms']);
    expect(rules(reports[0], 'warning')).toEqual(expect.arrayContaining(['tls13']));
    const ciphers = reports[0]?.findings.find(({ rule }) => rule === 'ciphers')?.evidence;
    expect(ciphers).toContain('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA');
    expect(ciphers).not.toContain('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256');
  });

  it("checks the others if one can't be reached, and ends with the reason", async () => {
    const server = ['--cert', files.at('server.crt'), '--key', files.at('server.key')];
    const { serve, address } = await startServe([...server, ...ca, '--client-cert', 'require']);
    await using _ = serve;
    const both = await knsock(['check', 'localhost:1', address, 'no-such-host.invalid:443', ...ca]);
    expect(both).toMatchObject({ code: 7 });
    expect(both.stdout).toMatch(new RegExp(`^${address}\n[^]*passed`));
    expect(both.stderr).toMatch(
      /^warning: no-such-host\.invalid:443 wasn't checked: .*\nknsock check: nothing listens/,
    );
  });

  it.each([
    ['--ca', 'nowhere.crt', 26, "nowhere.crt can't be read"],
    ['--ca', 'server.key', 58, "can't be trusted: it holds a key, not a certificate"],
    ['--write-baseline', 'no/such/folder', 23, "can't be written"],
  ])('reports that %s %s is invalid', async (option, file, code, words) => {
    const refused = await knsock(['check', files.at('server.crt'), option, files.at(file)]);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toContain(words);
  });

  it.skipIf(process.platform === 'win32')('reads certificates and keys from pipes', async () => {
    const piped = 'cat "$KEY" | "$@" check --json /dev/stdin "$CERT"';
    const env = { ...process.env, KEY: files.at('server.key'), CERT: files.at('server.crt') };
    const { stdout } = await promisify(execFile)('sh', ['-c', piped, 'sh', ...knsockCommand], { env });
    const report = JSON.parse(stdout) as Report;
    expect(report.passed).toEqual(expect.arrayContaining(['key-match', 'key-permissions']));
    expect(report.notes).toEqual(['its key is /dev/stdin']);
  });

  it('selects links, capital endings and stores in a folder, and what is in folders named like serials', async () => {
    const folder = await mkdtemp(files.at('selected-'));
    await mkdir(path.join(folder, 'serverserials'));
    await symlink(files.at('server.crt'), path.join(folder, 'fullchain.pem'));
    await copyFile(files.at('server.crt'), path.join(folder, 'SERVER.CRT'));
    await copyFile(files.at('server.crt'), path.join(folder, 'serverserials', 'a.crt'));
    await writeFile(path.join(folder, 'store.jks'), 'no store');
    await writeFile(path.join(folder, 'chain.p7c'), 'no chain');
    const { code, reports } = await check(folder);
    expect(code).toBe(3);
    expect(reports.map(({ target }) => path.relative(folder, target)).sort()).toEqual([
      'SERVER.CRT',
      'chain.p7c',
      'fullchain.pem',
      'serverserials/a.crt',
      'store.jks',
    ]);
  });

  it.each(['check', 'certs expiry'])('%s takes a folder with nothing to check for an error', async (line) => {
    const command = line.split(' ');
    const folder = await mkdtemp(files.at('empty-'));
    await writeFile(path.join(folder, 'notes.txt'), 'nothing');
    const refused = await knsock([...command, folder]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain(folder);
    const both = await knsock([...command, folder, files.at('server.crt')]);
    expect(both.code).toBe(line === 'check' ? 2 : 3);
    expect(both.stdout).toContain(files.at('server.crt'));
  });

  it('takes keys alone for nothing to check', async () => {
    const { code, stderr } = await knsock(['check', files.at('server.key')]);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nothing to check') as string,
    });
  });

  it("judges a certificate that lies beside its chain with that chain, as certbot's folders have them", async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const inner = await root.intermediate({ commonName: 'Inner' });
    const { certificate, chain, key } = await inner.issue({ kind: 'server', names: ['localhost'] });
    const folder = await mkdtemp(files.at('certbot-'));
    const at = (name: string) => path.join(folder, name);
    await writeFile(at('cert1.pem'), certificate);
    await writeFile(at('privkey1.pem'), key, { mode: 0o600 });
    await writeFile(files.at('root-of-it.crt'), root.certificate);
    const options = ['--ca', files.at('root-of-it.crt')];
    const alone = await check(folder, ...options);
    expect(rules(alone.reports[0], 'error')).toContain('verification');
    await writeFile(at('fullchain1.pem'), chain);
    const { code, reports } = await check(folder, ...options);
    expect(code).toBe(0);
    expect(reports.find(({ target }) => target === at('cert1.pem'))?.notes).toContain(
      `its chain is in ${at('fullchain1.pem')}`,
    );
  });

  it('says why there is nothing to check', async () => {
    expect(await knsock(['check', 'localhost:1'])).toMatchObject({ code: 7, stdout: '' });
    expect(await knsock(['check', 'no-such-host.invalid:443'])).toMatchObject({ code: 6, stdout: '' });
    const plain = createPlainServer((socket) => socket.on('error', () => undefined).end('220 hello\r\n'));
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const { port } = plain.address() as AddressInfo;
    const { code, stderr } = await knsock(['check', `127.0.0.1:${port}`]);
    plain.close();
    expect(code).toBe(35);
    expect(stderr).toContain('KNSOCK_HANDSHAKE_NOT_TLS');
  });
});
