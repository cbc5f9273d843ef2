import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createAuthority, fromPkcs12, toPkcs12, type Authority, type Issued } from '@knsock/certs';
import { createCredentials } from '@knsock/core';
import { parseCertificates, pkcs12Certificates, readPkcs12 } from '@knsock/core/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knsock, type Ended } from '../support/command.js';

let folder: string;
let root: Authority;
let server: Issued;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'knsock-test-'));
  root = await createAuthority({ commonName: 'Root' });
  server = await root.issue({ kind: 'server', names: ['localhost'] });
  await write('server.crt', server.chain);
  await write('server.key', server.key);
  await write('root.crt', root.certificate);
  await write('pass', '\uFEFFsecret\r\n');
  await write('server.p12', await toPkcs12({ chain: server.chain, key: server.key }, 'secret'));
  await write('id_ed25519', readFileSync(new URL('fixtures/openssh-ed25519', import.meta.url)));
  await write('cut.crt', server.chain.slice(0, 200));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

const write = (file: string, data: string | Uint8Array) => writeFile(path.join(folder, file), data);
const certs = (...args: string[]): Promise<Ended> => knsock(['certs', ...args], { cwd: folder });
const made = (file: string) => readFile(path.join(folder, file));

describe('certs convert', () => {
  it('writes PKCS#12 again from PKCS#12, whose key is inside', async () => {
    const converted = await certs(
      'convert',
      'server.p12',
      '--to',
      'pkcs12',
      '--passphrase-file',
      'pass',
      '--out',
      'again.p12',
    );
    expect(converted.code).toBe(0);
    expect(await fromPkcs12(await made('again.p12'), 'secret')).toMatchObject({ key: server.key });
  });

  it('writes a trust store, and takes the certificates out again', async () => {
    const to = ['--to', 'truststore', '--passphrase-file', 'pass', '--out', 'trust.p12'];
    expect((await certs('convert', 'root.crt', ...to)).code).toBe(0);
    const contents = readPkcs12(await made('trust.p12'), 'secret');
    expect([contents.keys.length, pkcs12Certificates(contents)[0]?.friendlyName]).toEqual([0, 'Root']);
    const back = await certs('convert', 'trust.p12', '--to', 'pem', '--passphrase-file', 'pass');
    expect(back.stdout.trim()).toBe(root.certificate.trim());
    const shown = await certs('inspect', 'trust.p12', '--passphrase-file', 'pass');
    expect(shown.stdout).toContain('authority  CN=Root');
  });

  it('makes keys of other programs PEM, and PEM a JSON Web Key', async () => {
    const pem = await certs('convert', 'id_ed25519', '--to', 'pem');
    expect(pem.stdout).toContain('-----BEGIN PRIVATE KEY-----');
    const jwk = await certs('convert', 'server.key', '--to', 'jwk');
    expect(JSON.parse(jwk.stdout)).toMatchObject({ kty: 'EC', crv: 'P-256' });
    expect(createCredentials({ cert: server.chain, key: jwk.stdout }).warnings).toEqual([]);
  });
});

describe('certs verify', () => {
  it.each([
    ['whose leaf is not the first', () => root.certificate + server.certificate, /put the leaf first/],
    [
      'that ends at a trusted certificate above which there is a root',
      () => server.chain,
      /beside the intermediate/,
    ],
  ])('has a hint for a chain %s', async (_what, chain, hint) => {
    await write('odd.crt', chain());
    const ca = hint.test('beside the intermediate') ? 'server.crt' : 'root.crt';
    const refused = await certs('verify', 'odd.crt', '--ca', ca);
    expect(refused.code).toBe(60);
    expect(refused.stderr).toMatch(hint);
  });

  it('opens a file with a passphrase that PowerShell wrote', async () => {
    await write('pass16', Buffer.from('\uFEFFsecret\r\n', 'utf16le'));
    const verified = await certs('verify', 'server.p12', '--ca', 'root.crt', '--passphrase-file', 'pass16');
    expect(verified).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('flags that would change nothing', () => {
  it.each([
    [['check', 'server.crt', '--servername', 'other.test'], '--servername is the name of a server'],
    [['certs', 'expiry', 'server.crt', '--prometheus', '--json'], '--prometheus and --json'],
    [
      [
        'serve',
        '--port',
        '0',
        '--cert',
        'server.crt',
        '--key',
        'server.key',
        '--ca',
        'root.crt',
        '--client-cert',
        'none',
      ],
      '--ca verifies client certificates, and --client-cert none',
    ],
  ])('are refused: %s', async (args, words) => {
    const refused = await knsock(args, { cwd: folder });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(words);
  });
});

describe('several files', () => {
  it.each(['lint', 'inspect'])('are all judged, and the bad one is named: certs %s', async (command) => {
    const ended = await certs(command, 'server.crt', 'cut.crt', 'root.crt');
    expect(ended.code).toBe(58);
    expect(ended.stderr).toContain('cut.crt: ');
    expect(ended.stdout).toContain(command === 'lint' ? 'root.crt' : 'CN=Root');
  });

  it('of which one is bad are distinguished: certs match', async () => {
    expect((await certs('match', 'server.crt', 'root.crt')).stderr).toContain('root.crt: ');
    expect((await certs('match', 'server.key', 'server.key')).stderr).toContain('server.key: ');
    expect((await certs('match', 'server.crt', 'server.key')).code).toBe(0);
  });
});

it('a certificate is issued as a Secret of Kubernetes', async () => {
  expect((await certs('ca', 'Example')).code).toBe(0);
  const { stdout, code } = await certs('issue', 'db.internal', '--for', 'kubernetes');
  expect(code).toBe(0);
  expect(stdout).toContain('type: kubernetes.io/tls\nmetadata:\n  name: db.internal\n');
  const [, crt = ''] = /tls\.crt: (\S+)/.exec(stdout) ?? [];
  expect(parseCertificates(Buffer.from(crt, 'base64'))[0]?.dnsNames).toEqual(['db.internal']);
});
