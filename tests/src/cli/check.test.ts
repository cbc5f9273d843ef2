import { constants } from 'node:crypto';
import { once } from 'node:events';
import { chmod, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCertificateFolder, type CertificateFolder } from '../support/certificate-folder.js';
import { knsock, startServe } from '../support/command.js';

interface Report {
  readonly target: string;
  readonly passed: string[];
  readonly findings: { rule: string; severity: string; evidence: string }[];
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

describe('knsock check on files', () => {
  it('finds nothing bad in what it would make itself', async () => {
    const { code, reports } = await check(files.at('server.crt'), files.at('server.key'), files.at('ca.crt'));
    expect(code).toBe(0);
    expect(reports.map((report) => rules(report, 'error'))).toEqual([[], []]);
    expect(reports[0]?.passed).toEqual(expect.arrayContaining(['verification', 'strong-keys', 'key-match']));
  });

  it('tells a key of another certificate, and one that others can read', async () => {
    const key = await files.write('open.key', await readFile(files.at('client.key')));
    await chmod(key, 0o644);
    const { code, reports } = await check(files.at('server.crt'), key);
    expect(code).toBe(3);
    expect(rules(reports[0], 'error')).toEqual(['key-match', 'key-permissions']);
  });

  it('tells a chain that the CA didn’t issue', async () => {
    const { reports } = await check(files.at('server.crt'), '--ca', await otherCa());
    expect(reports[0]?.findings).toContainEqual(
      expect.objectContaining({
        rule: 'verification',
        evidence: expect.stringContaining('unknown-issuer') as string,
      }),
    );
  });

  it('tells files that aren’t what they seem, and checks the others all the same', async () => {
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

  it('accepts what the baseline lists, and nothing else', async () => {
    const baseline = files.at('baseline');
    const strict = [files.at('server.crt'), '--fail-on', 'notice'];
    expect((await check(...strict, '--write-baseline', baseline)).code).toBe(3);
    expect(await readFile(baseline, 'utf8')).toBe(`revocation ${files.at('server.crt')}\n`);
    const { code, reports } = await check(...strict, '--baseline', baseline);
    expect(code).toBe(0);
    expect(reports[0]?.accepted).toHaveLength(1);
  });

  async function otherCa(): Promise<string> {
    await using other = await createCertificateFolder();
    return await files.write('other-ca.crt', await readFile(other.at('ca.crt')));
  }
});

describe('knsock check on servers', () => {
  it('finds nothing bad on our own', async () => {
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

  it('finds what is weak on a careless one', async () => {
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

  it('says where there is nothing to check', async () => {
    const refused = await knsock(['check', 'localhost:1']);
    expect(refused).toMatchObject({ code: 35, stdout: '' });
  });
});
