import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createPlainServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { createCsr } from '../issuing/csr.js';
import { CertificateError } from '../errors.js';
import { fingerprint } from '../files/fingerprint.js';
import { inspect } from './inspect.js';
import { createSelfSigned } from '../issuing/issue.js';
import { encryptKey } from '../keys/key-encryption.js';
import { toPkcs12 } from '../pkcs12/pkcs12.js';
import { summarize } from './summary.js';

const derOf = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
const types = async (...args: Parameters<typeof inspect>) =>
  (await inspect(...args)).items.map(({ type }) => type);

describe('an inspection', () => {
  it('shows what a certificate says', async () => {
    const authority = await createAuthority({
      commonName: 'Root',
      nameConstraints: { permitted: ['test', '10.0.0.0/8'] },
    });
    const { certificate } = await authority.issue({
      kind: 'peer',
      names: ['a.test', '10.0.0.1', 'spiffe://test/a', 'a@b.test'],
      crlUrls: ['http://crl.test/root.crl'],
    });
    const { fingerprint256, publicKey } = new X509Certificate(certificate);
    const pin = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64');
    expect((await inspect(certificate)).items).toMatchObject([
      {
        type: 'certificate',
        subject: 'CN=a.test',
        issuer: 'CN=Root',
        names: ['DNS:a.test', 'IP:10.0.0.1', 'URI:spiffe://test/a', 'email:a@b.test'],
        key: 'P-256',
        signatureAlgorithm: 'ECDSA with SHA-256',
        ca: false,
        keyUsage: ['digitalSignature'],
        extendedKeyUsage: ['server', 'client'],
        crlUrls: ['http://crl.test/root.crl'],
        fingerprint: fingerprint256,
        spkiPin: `sha256/${pin}`,
        unknownExtensions: [],
        findings: [],
      },
    ]);
    expect((await inspect(authority.certificate)).items).toMatchObject([
      {
        ca: true,
        selfSigned: true,
        nameConstraints: { permitted: ['DNS:test', 'IP:10.0.0.0/255.0.0.0'] },
      },
    ]);
  });

  it('is plain data that JSON carries', async () => {
    const { certificate } = await createSelfSigned({ names: ['a.test'] });
    const { items } = JSON.parse(JSON.stringify(await inspect(certificate))) as {
      items: { notAfter: string; subject: string }[];
    };
    expect(items.map(({ subject }) => subject)).toEqual(['CN=a.test']);
    expect(Date.parse(items[0]?.notAfter ?? '')).toBeGreaterThan(Date.now());
  });

  it('finds everything in a mixed text, in its order', async () => {
    const authority = await createAuthority({ commonName: 'Root' });
    const { certificate, key } = await authority.issue({ kind: 'server', names: ['a.test'] });
    const { csr } = await createCsr({ names: ['a.test'] });
    const { pem } = await authority.crl();
    const publicKey = new X509Certificate(certificate).publicKey
      .export({ type: 'spki', format: 'pem' })
      .toString();
    const text = certificate + key + csr + pem + publicKey;
    expect(await types(text)).toEqual(['certificate', 'private-key', 'request', 'crl', 'public-key']);
  });

  it('distinguishes DER of every kind', async () => {
    const authority = await createAuthority({ commonName: 'Root' });
    const { csr, key } = await createCsr({ names: ['a.test'] });
    expect(await types(derOf(authority.certificate))).toEqual(['certificate']);
    expect(await types((await authority.crl()).der)).toEqual(['crl']);
    expect(await types(derOf(csr))).toEqual(['request']);
    expect(await types(derOf(key))).toEqual(['private-key']);
  });

  it('reports the format of a file, in the summary if it is neither of the usual two', async () => {
    const { certificate, key } = await createSelfSigned({ names: ['a.test'] });
    const der = derOf(certificate);
    const store = await toPkcs12({ chain: certificate, key }, 'pass');
    const wide = Buffer.from(`\uFEFF${certificate}`, 'utf16le');
    const forms: [Uint8Array | string, string][] = [
      [certificate, 'PEM'],
      [der, 'DER'],
      [wide, 'PEM in UTF-16'],
      [certificate.trimEnd().replaceAll('\n', '\\n'), 'PEM with \\n for line feeds'],
      [der.toString('base64'), 'base64 without BEGIN and END lines'],
      [Buffer.from(certificate).toString('base64'), 'base64 of PEM'],
      [store, 'PKCS#12 (.p12, .pfx), DER'],
    ];
    for (const [input, form] of forms) {
      const inspection = await inspect(input, { passphrase: 'pass' });
      expect(inspection.format).toBe(form);
      const isUsual = form === 'PEM' || form === 'DER';
      expect(summarize(inspection).startsWith(`file  ${form}\n`)).toBe(!isUsual);
    }
  });

  it('opens a PKCS#12 file with its passphrase, and asks for it without', async () => {
    const file = await toPkcs12(await createSelfSigned({ names: ['a.test'] }), 'secret');
    expect(await types(file, { passphrase: 'secret' })).toEqual(['private-key', 'certificate']);
    await expect(inspect(file)).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PASSPHRASE' });
  });

  it('shows only the public half of a private key', async () => {
    const { key, certificate } = await createSelfSigned({ names: ['a.test'] });
    const locked = await encryptKey(key, 'secret');
    const [closed] = (await inspect(locked)).items;
    expect(closed).toEqual({ type: 'private-key', encrypted: true, key: undefined, spkiPin: undefined });
    const [open] = (await inspect(locked, { passphrase: 'secret' })).items;
    const { spkiPin } = await fingerprint(certificate);
    expect(open).toEqual({ type: 'private-key', encrypted: true, key: 'P-256', spkiPin });
    await expect(inspect(locked, { passphrase: 'wrong' })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_PASSPHRASE',
    });
  });

  it.each(['pkcs1', 'sec1'] as const)('reads a key in the old form %s', async (type) => {
    const { privateKey } =
      type === 'pkcs1'
        ? generateKeyPairSync('rsa', { modulusLength: 1_024 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type, format: 'pem' }).toString();
    expect((await inspect(pem)).items).toMatchObject([
      { key: type === 'pkcs1' ? 'RSA 1,024 bits' : 'P-256' },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['plain text', 'hello'],
    ['an unknown block', '-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n'],
    ['a damaged certificate', '-----BEGIN CERTIFICATE-----\nMAMCAQU=\n-----END CERTIFICATE-----\n'],
    ['a damaged key', '-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n'],
    ['short DER', Buffer.from([0x30, 0x03, 0x02, 0x01])],
  ])('refuses %s with a typed error', async (_, garbage) => {
    await expect(inspect(garbage)).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_MALFORMED' });
  });

  it('says where a certificate is damaged', async () => {
    const der = derOf((await createSelfSigned({ names: ['a.test'] })).certificate);
    der[der.length - 80] = 0xff;
    const failed = await inspect(der.subarray(0, der.length - 1)).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CertificateError);
    expect((failed as CertificateError).offset).toBeTypeOf('number');
  });

  it('gives typed errors only, however a file is damaged', async () => {
    const { certificate, key } = await createSelfSigned({ names: ['a.test'] });
    const text = Buffer.from(certificate + key);
    const anywhere = [fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean()] as const;
    const property = fc.asyncProperty(...anywhere, async (at, flip, asDer) => {
      const changed = asDer ? derOf(certificate) : Buffer.from(text);
      changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ flip;
      const outcome = await inspect(changed).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CertificateError);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});

describe('an inspection of files and servers', () => {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  const listening = async (server: Server): Promise<number> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    return (server.address() as AddressInfo).port;
  };

  it('names the file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'knsock-inspect-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'a.crt');
    await expect(inspect({ file })).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_FOUND', file });
    await writeFile(file, (await createSelfSigned({ names: ['a.test'] })).certificate);
    expect((await inspect({ file })).source).toBe(file);
    await writeFile(file, 'garbage');
    await expect(inspect({ file })).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_MALFORMED', file });
  });

  it('shows the chain that a server sends, trusted or not', async () => {
    const intermediate = await (
      await createAuthority({ commonName: 'Root' })
    ).intermediate({ commonName: 'Below' });
    const { chain, key } = await intermediate.issue({ kind: 'server', names: ['a.test'], days: 1 });
    const server = createServer({ cert: chain, key }, (socket) => socket.on('error', () => undefined));
    const port = await listening(server);
    const { source, items } = await inspect({ host: '127.0.0.1', port, servername: 'a.test' });
    expect(source).toBe(`127.0.0.1:${port}`);
    expect(items.map((item) => 'subject' in item && item.subject)).toEqual(['CN=a.test', 'CN=Below']);
  });

  it.each([
    ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }],
  ] as const)('reads through %s the chain of a server that requires a client certificate', async (_, tls) => {
    const root = await createAuthority({ commonName: 'Root' });
    const { certificate: cert, key } = await root.issue({ kind: 'server', names: ['a.test'] });
    const demanding = { requestCert: true, rejectUnauthorized: true, ca: root.root };
    const server = createServer({ cert, key, ...demanding, ...tls });
    const { items } = await inspect({ host: '127.0.0.1', port: await listening(server) });
    expect(items[0]).toMatchObject({ subject: 'CN=a.test' });
  });

  it('stops waiting for a server that is unresponsive or unreachable, or when the signal fires', async () => {
    const silent = createPlainServer((socket) => cleanups.push(() => socket.destroy()));
    const port = await listening(silent);
    const quick = inspect({ host: '127.0.0.1', port }, { timeout: 50 });
    await expect(quick).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_UNREACHABLE', retryable: true });
    const reason = new Error('enough');
    const aborted = inspect({ host: '127.0.0.1', port }, { signal: AbortSignal.abort(reason) });
    await expect(aborted).rejects.toBe(reason);
    const gone = await listening(createPlainServer());
    await cleanups.pop()?.();
    await expect(inspect({ host: '127.0.0.1', port: gone })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_UNREACHABLE',
    });
  });
});

describe('a summary', () => {
  it('shows what matters', async () => {
    const authority = await createAuthority({ commonName: 'Root', pathLength: 0 });
    const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'] });
    await authority.revoke(certificate, 'superseded');
    const text = summarize(await inspect(certificate + authority.certificate + (await authority.crl()).pem));
    expect(text).toMatch(/^certificate {2}CN=a\.test\n/);
    expect(text).toMatch(/issued by +CN=Root/);
    expect(text).toMatch(/names +DNS:a\.test/);
    expect(text).toMatch(/for +server/);
    expect(text).toMatch(/dates +expires in 89 days \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)/);
    expect(text).toMatch(/for +signing leaf certificates only/);
    expect(text).toMatch(/withdraws +1 certificate\n.* superseded/);
  });

  it('shows the findings', async () => {
    const { certificate } = await createSelfSigned({ names: ['*.test'], days: 900, maxDays: 900 });
    const text = summarize(await inspect(certificate), new Date(Date.now() + 1_000 * 86_400_000));
    expect(text).toMatch(/expired 100 days ago/);
    expect(text).toMatch(/warning +it is valid for 900 days\./);
    expect(text).toMatch(
      /error +no client can match any of its names: "\*\.test" has its wildcard right below/,
    );
  });
});
