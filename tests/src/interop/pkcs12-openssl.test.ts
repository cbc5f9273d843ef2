import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { createPrivateKey } from 'node:crypto';
import { CredentialsError } from '@knsock/core/errors';
import { openPkcs12, parseCertificates } from '@knsock/core/x509';
import { createAuthority, type Issued } from '@knsock/certs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needsTools } from './tools.js';

// OpenSSL writes PKCS#12 files in every way it knows; each is opened and compared with what went in, and Node has to accept it too.

const folder = mkdtempSync(path.join(tmpdir(), 'knsock-pkcs12-'));
const made: Record<string, Issued> = {};
let roots = '';

beforeAll(async () => {
  const root = await createAuthority({ commonName: 'Root' });
  const intermediate = await root.intermediate({ commonName: 'Intermediate' });
  for (const keyType of ['p256', 'rsa2048', 'ed25519'] as const) {
    made[keyType] = await intermediate.issue({ kind: 'server', names: ['a.test'], keyType });
  }
  // Issuers in the wrong order: the file's order says nothing.
  roots = root.certificate + intermediate.certificate;
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('a PKCS#12 file of OpenSSL', () => {
  it.for([
    ['its defaults', []],
    ['AES-128', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC']],
    [
      'AES-192 and a MAC of SHA-384',
      ['-keypbe', 'AES-192-CBC', '-certpbe', 'AES-192-CBC', '-macalg', 'sha384'],
    ],
    ['a MAC of SHA-512', ['-macalg', 'sha512']],
    ['triple DES and SHA-1', ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']],
    ['triple DES with two keys', ['-keypbe', 'PBE-SHA1-2DES', '-certpbe', 'PBE-SHA1-2DES']],
    ['triple DES under PBES2', ['-keypbe', 'DES-EDE3-CBC', '-certpbe', 'DES-EDE3-CBC']],
    ['certificates in the clear', ['-certpbe', 'NONE']],
    ['the key in the clear', ['-keypbe', 'NONE']],
    ['nothing encrypted', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['one round each', ['-iter', '1', '-nomaciter']],
    ['20,000 rounds', ['-iter', '20000']],
    ['a name', ['-name', 'ein Schlüssel']],
  ] as const)('opens: %s', ([, options], context) => {
    needsTools(context, 'openssl');
    for (const keyType of Object.keys(made)) {
      const pfx = exported(keyType, 'secret', ...options);
      expect(opened(pfx, 'secret')).toEqual(expected(keyType));
      expect(() => createSecureContext({ pfx, passphrase: 'secret' })).not.toThrow();
    }
  });

  it('opens without a MAC, as Node does from OpenSSL 3.2 on', (context) => {
    needsTools(context, 'openssl');
    expect(opened(exported('p256', 'secret', '-nomac'), 'secret')).toEqual(expected('p256'));
  });

  it('without a MAC still refuses another passphrase', (context) => {
    needsTools(context, 'openssl');
    expect(refusal(exported('p256', 'secret', '-nomac'), 'other')).toBe('passphrase');
  });

  it('opens with any characters in the passphrase', (context) => {
    needsTools(context, 'openssl');
    for (const passphrase of ['pässwörd', '密码', '🔑 and more', 'x'.repeat(500)]) {
      const pfx = exported('p256', passphrase, '-keypbe', 'PBE-SHA1-3DES');
      expect(opened(pfx, passphrase)).toEqual(expected('p256'));
      expect(() => createSecureContext({ pfx, passphrase })).not.toThrow();
    }
  });

  it('with an empty passphrase opens with that and without any', (context) => {
    needsTools(context, 'openssl');
    for (const pbe of ['AES-256-CBC', 'PBE-SHA1-3DES']) {
      const pfx = exported('p256', '', '-keypbe', pbe, '-certpbe', pbe);
      expect(opened(pfx, '')).toEqual(expected('p256'));
      expect(opened(pfx, undefined)).toEqual(expected('p256'));
      expect(refusal(pfx, 'secret')).toBe('passphrase');
    }
  });

  it('refuses another passphrase, and none, as such', (context) => {
    needsTools(context, 'openssl');
    const pfx = exported('rsa2048', 'secret');
    for (const passphrase of ['Secret', 'secret ', '', undefined])
      expect(refusal(pfx, passphrase)).toBe('passphrase');
    expect(() => openPkcs12(pfx, undefined)).toThrow('none was given');
  });

  it.for(['PBE-SHA1-RC2-40', 'PBE-SHA1-RC4-128', 'PBE-SHA1-RC4-40'])(
    'opens where its certificates are locked with %s',
    (pbe, context) => {
      needsTools(context, 'openssl');
      const pfx = exported('p256', 'secret', '-legacy', '-certpbe', pbe);
      expect(opened(pfx, 'secret')).toEqual(expected('p256'));
      expect(refusal(pfx, 'other')).toBe('passphrase');
    },
  );

  it('with the chain left out opens to the leaf alone', (context) => {
    needsTools(context, 'openssl');
    const files = written('p256');
    const pfx = run('secret', ['-inkey', files.key, '-in', files.cert]);
    expect(openPkcs12(pfx, 'secret').chain.map(({ pem }) => pem)).toEqual([made['p256']?.certificate]);
  });

  it('of a chain that its own tool looked up opens in issuing order', (context) => {
    needsTools(context, 'openssl');
    const files = written('rsa2048');
    const pfx = run('secret', ['-inkey', files.key, '-in', files.cert, '-chain', '-CAfile', files.roots]);
    expect(opened(pfx, 'secret')).toEqual(expected('rsa2048'));
  });

  it('without a key, or without a certificate, is half a pair', (context) => {
    needsTools(context, 'openssl');
    const files = written('p256');
    expect(refusal(run('secret', ['-nokeys', '-in', files.cert]), 'secret')).toBe('incomplete');
    expect(refusal(run('secret', ['-nocerts', '-inkey', files.key]), 'secret')).toBe('incomplete');
  });

  it("keeps certificates that don't belong to the chain apart", (context) => {
    needsTools(context, 'openssl');
    const files = written('p256');
    const stranger = written('rsa2048').cert;
    const pfx = run('secret', ['-inkey', files.key, '-in', files.cert, '-certfile', stranger]);
    const { chain, others } = openPkcs12(pfx, 'secret');
    expect([chain, others].map((list) => list.map(({ pem }) => pem))).toEqual([
      [made['p256']?.certificate],
      [made['rsa2048']?.certificate],
    ]);
  });

  it('cut short anywhere, or with one bit changed, is refused with a reason', (context) => {
    needsTools(context, 'openssl');
    const pfx = exported('p256', 'secret', '-iter', '1', '-nomaciter');
    for (let at = 0; at < pfx.length; at += 13) {
      expect(refusal(pfx.subarray(0, at), 'secret')).toBe('malformed');
      const changed = Buffer.from(pfx);
      changed[at] = (changed[at] as number) ^ (1 << (at % 8));
      expect(['malformed', 'passphrase', 'unsupported']).toContain(refusal(changed, 'secret'));
    }
  });
});

describe('a PKCS#12 file of another program', () => {
  it("opens when Java's keytool made it", (context) => {
    needsTools(context, 'keytool');
    const file = path.join(folder, 'java.p12');
    const options = [
      '-alias',
      'a',
      '-keyalg',
      'EC',
      '-storetype',
      'PKCS12',
      '-storepass',
      'secret',
      '-dname',
      'CN=a.test',
    ];
    execFileSync('keytool', ['-genkeypair', ...options, '-keystore', file], { stdio: 'ignore' });
    const { chain, others } = openPkcs12(readFileSync(file), 'secret');
    expect(chain.map(({ subject }) => subject.toString())).toEqual(['CN=a.test']);
    expect(others).toEqual([]);
  });

  it('opens when GnuTLS made it', (context) => {
    needsTools(context, 'certtool');
    const [files, file] = [written('p256'), path.join(folder, 'gnutls.p12')];
    const pair = ['--load-certificate', files.cert, '--load-privkey', files.key];
    const options = ['--to-p12', '--outder', '--p12-name', 'x', '--password', 'secret', '--outfile', file];
    execFileSync('certtool', [...pair, ...options], { stdio: 'ignore' });
    expect(openPkcs12(readFileSync(file), 'secret').chain.map(({ pem }) => pem)).toEqual([
      made['p256']?.certificate,
    ]);
  });
});

function written(keyType: string): { key: string; cert: string; roots: string } {
  const file = (name: string, text: string): string => {
    const whole = path.join(folder, `${keyType}-${name}.pem`);
    writeFileSync(whole, text);
    return whole;
  };
  const { key, certificate } = made[keyType] as Issued;
  return { key: file('key', key), cert: file('cert', certificate), roots: file('roots', roots) };
}

/** Key, leaf and issuers, exported by OpenSSL. */
function exported(keyType: string, passphrase: string, ...options: string[]): Buffer {
  const files = written(keyType);
  return run(passphrase, ['-inkey', files.key, '-in', files.cert, '-certfile', files.roots, ...options]);
}

function run(passphrase: string, options: readonly string[]): Buffer {
  const args = ['pkcs12', '-export', '-passout', 'stdin', ...options];
  return execFileSync('openssl', args, { input: `${passphrase}\n`, stdio: ['pipe', 'pipe', 'ignore'] });
}

function opened(
  pfx: Buffer,
  passphrase: string | undefined,
): { chain: string[]; others: number; key: string } {
  const { chain, key, others } = openPkcs12(pfx, passphrase);
  return { chain: chain.map(({ pem }) => pem), others: others.length, key: pemOf(key) };
}

function expected(keyType: string): ReturnType<typeof opened> {
  const { certificate, key } = made[keyType] as Issued;
  const [root, intermediate] = parseCertificates(roots).map(({ pem }) => pem) as [string, string];
  return { chain: [certificate, intermediate, root], others: 0, key: pemOf(createPrivateKey(key)) };
}

const pemOf = (key: ReturnType<typeof createPrivateKey>): string =>
  key.export({ type: 'pkcs8', format: 'pem' }) as string;

function refusal(pfx: Buffer, passphrase: string | undefined): string {
  try {
    openPkcs12(pfx, passphrase);
  } catch (error) {
    if (error instanceof CredentialsError) return error.reason;
    throw error;
  }
  return 'accepted';
}
