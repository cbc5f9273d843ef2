import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parseCertificates } from '@knsock/core/x509';
import { describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { createCsr, readCsr, type CsrInfo } from './csr.js';
import { CertificateError } from '../errors.js';
import { createSelfSigned } from './issue.js';
import { checkStrength, privateKeyPem, type KeyType } from '../keys/keys.js';
import type { SigningPolicy } from './signing-policy.js';

describe('a signing request', () => {
  it('contains what it asks for and proves possession of its key', async () => {
    const { csr } = await createCsr({
      names: ['a.test', '10.0.0.1', 'spiffe://test/a', 'a@b.test'],
      commonName: 'alice',
      organizationalUnit: ['ops', 'db'],
      keyType: 'ed25519',
    });
    expect(await readCsr(csr)).toMatchObject({
      subject: { commonName: 'alice', organizationalUnit: ['ops', 'db'] },
      names: ['a.test', '10.0.0.1', 'spiffe://test/a', 'a@b.test'],
      ca: false,
      keyDescription: 'Ed25519',
      signatureValid: true,
    });
  });

  it('is signed with the key it carries', async () => {
    const authority = await createAuthority({ commonName: 'CA' });
    const { csr, key } = await createCsr({ names: ['a.test'] });
    const signed = await authority.sign(csr, { kind: 'server', names: ['a.test'] });
    expect(new X509Certificate(signed.certificate).checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(signed).not.toHaveProperty('key');
  });

  it('is signed as it was read, without being read again', async () => {
    const authority = await createAuthority({ commonName: 'CA' });
    const { csr, key } = await createCsr({ names: ['a.test'] });
    const facts = await readCsr(csr);
    await authority.check(facts, { kind: 'server', names: ['a.test'] });
    const signed = await authority.sign(facts, { kind: 'server', names: ['a.test'] });
    expect(new X509Certificate(signed.certificate).checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  it("is signed only as it was read: neither facts of one's own nor changed ones are taken", async () => {
    const authority = await createAuthority({ commonName: 'CA' });
    const facts = await readCsr((await createCsr({ names: ['a.test'] })).csr);
    expect(() => (facts.names as string[]).push('b.test')).toThrow(TypeError);
    for (const made of [{ ...facts }, { ...facts, names: ['b.test'] }, Object.create(facts) as CsrInfo]) {
      const signed = authority.sign(made, { kind: 'server', names: () => true });
      await expect(signed).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: 'csr' });
    }
  });

  it("whose bytes were changed shows a broken signature and isn't signed", async () => {
    const authority = await createAuthority({ commonName: 'CA' });
    const { csr } = await createCsr({ names: ['aaaa.test'] });
    const der = Buffer.from(csr.replace(/-----.*-----|\n/g, ''), 'base64');
    der.write('bbbb', der.lastIndexOf('aaaa'));
    expect((await readCsr(der)).signatureValid).toBe(false);
    const signed = authority.sign(der, { kind: 'server', names: () => true });
    await expect(signed).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_REQUEST_SIGNATURE' });
  });

  it.each([
    '',
    'nonsense',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n',
    Buffer.from([0x30, 0x80]),
  ])('that is garbage is refused without a raw ASN.1 error (%#)', async (garbage) => {
    await expect(readCsr(garbage)).rejects.toBeInstanceOf(CertificateError);
  });
});

const fixture = (name: string) => readFile(new URL(`../fixtures/${name}`, import.meta.url));

describe('names of other kinds', () => {
  const shown = [
    'otherName 1.3.6.1.4.1.311.20.2.3 (user principal name): alice@corp.example',
    'directory name: organization=Example, commonName=alice',
    'registered ID 1.2.3.4',
  ];

  it('are shown as readable text, and the refusal names the option that omits them', async () => {
    const csr = await fixture('other-names.csr');
    const { names, otherNames } = await readCsr(csr);
    expect(names).toEqual(['app.corp.example']);
    expect(otherNames).toEqual(shown);
    const authority = await createAuthority({ commonName: 'CA' });
    const policy = { kind: 'server', names: ['*.corp.example'] } as const;
    await expect(authority.sign(csr, policy)).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_POLICY',
      message: expect.stringContaining('(user principal name): alice@corp.example') as string,
      hint: expect.stringContaining('--skip-other-names') as string,
    });
    const { certificate, dropped } = await authority.sign(csr, { ...policy, skipOtherNames: true });
    expect(new X509Certificate(certificate).subjectAltName).toBe('DNS:app.corp.example');
    expect(dropped).toEqual([...shown, 'commonName']);
  });

  it('are missing in a request with only a common name, and the error names the option', async () => {
    const authority = await createAuthority({ commonName: 'CA' });
    const { csr } = await createCsr({ kind: 'client', commonName: 'app.corp.example' });
    const refused = authority.sign(csr, { kind: 'server', names: ['*.corp.example'] });
    await expect(refused).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_NAME',
      message: expect.stringContaining('only the common name "app.corp.example"') as string,
      hint: expect.stringContaining('--add-name app.corp.example') as string,
    });
  });
});

describe('a key that verifiers refuse', () => {
  it('is refused with the reason where it has explicit curve parameters', async () => {
    const csr = await fixture('explicit-curve.csr');
    const authority = await createAuthority({ commonName: 'CA' });
    const refused = {
      code: 'KNSOCK_CERTIFICATE_KEY',
      message: expect.stringContaining('explicit curve parameters') as string,
      hint: expect.stringContaining('P-256') as string,
    };
    await expect(readCsr(csr)).rejects.toMatchObject(refused);
    await expect(authority.sign(csr, { kind: 'server', names: ['localhost'] })).rejects.toMatchObject(
      refused,
    );
  });

  it.each([['compressed-point.csr', 'compressed point']])(
    "is named when %s is read, and isn't signed",
    async (file, problem) => {
      const csr = await fixture(file);
      const { keyDescription, signatureValid } = await readCsr(csr);
      expect(signatureValid).toBe(true);
      expect(keyDescription).toContain(problem);
      const authority = await createAuthority({ commonName: 'CA' });
      const signed = authority.sign(csr, { kind: 'server', names: ['localhost'] });
      await expect(signed).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_KEY',
        message: expect.stringContaining(problem) as string,
        hint: expect.stringContaining('named curve') as string,
      });
    },
  );

  it("isn't certified either when the caller supplies it", async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
    const brought = { names: ['a.test'], privateKey: privateKeyPem(privateKey) };
    const refused = { code: 'KNSOCK_CERTIFICATE_KEY' };
    await expect(createCsr(brought)).rejects.toMatchObject(refused);
    await expect(createSelfSigned(brought)).rejects.toMatchObject(refused);
    const authority = await createAuthority({ commonName: 'CA' });
    await expect(authority.issue({ kind: 'server', ...brought })).rejects.toMatchObject(refused);
  });

  it.each(['AQ', 'Ag', 'AQAAAAAAAAAAAQ'])('has the RSA exponent %s', (e) => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const key = createPublicKey({ key: { ...publicKey.export({ format: 'jwk' }), e }, format: 'jwk' });
    expect(() => {
      checkStrength(key);
    }).toThrow('with the public exponent');
    checkStrength(publicKey);
  });
});

describe('key usage', () => {
  const usageOf = async (kind: 'server' | 'client' | 'peer', keyType: KeyType) => {
    const authority = await createAuthority({ commonName: 'CA' });
    const { certificate } = await authority.issue({ kind, names: ['a.test'], keyType });
    return [...(parseCertificates(certificate)[0]?.keyUsage ?? [])];
  };

  it('includes keyEncipherment for RSA keys of servers, which NSS requires, and no others', async () => {
    const both = ['digitalSignature', 'keyEncipherment'];
    expect(await usageOf('server', 'rsa2048')).toEqual(both);
    expect(await usageOf('peer', 'rsa2048')).toEqual(both);
    expect(await usageOf('client', 'rsa2048')).toEqual(['digitalSignature']);
    expect(await usageOf('server', 'p256')).toEqual(['digitalSignature']);
  });
});

describe('a signing policy', () => {
  const sign = async (names: string[], policy: Partial<SigningPolicy>, subject: object = {}) => {
    const authority = await createAuthority({ commonName: 'CA' });
    const { csr } = await createCsr({ names, ...subject });
    return authority.sign(csr, { kind: 'server', names: [], ...policy });
  };

  it.each([
    [['a.test'], 'a.test'],
    [['*.test'], 'a.test'],
    [['*.test'], '*.test'],
    [['spiffe://test/*'], 'spiffe://test/a/b'],
    [['*@b.test'], 'a@b.test'],
    [['::1'], '0:0:0:0:0:0:0:1'],
  ])('of %s grants %s', async (names, name) => {
    await expect(sign([name], { names })).resolves.toBeDefined();
  });

  it.each([
    [['a.test'], 'b.test'],
    [['a.test'], '*.a.test'],
    [['*.test'], 'test'],
    [['*.test'], 'a.b.test'],
    [['spiffe://test/a/*'], 'spiffe://test/b'],
    [['https://test/a/*'], 'https://test/a/../b'],
    [['*@b.test'], 'a@c.b.test'],
    [['https://test/a/*'], 'https://test/a/%2e%2e/b'],
    [[], 'a.test'],
    // Names of another kind that end like what is allowed.
    [['*.b.test'], 'spiffe://a.b.test'],
    [['*.b.test'], 'https://a.b.test'],
    [['*.b.test'], 'root@a.b.test'],
    [['*@b.test'], 'https://root@b.test'],
    [['spiffe://test/*'], 'spiffe.test'],
  ])('of %s refuses %s', async (names, name) => {
    await expect(sign([name], { names })).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_POLICY' });
  });

  it('copies no subject field by default, and reports what it dropped', async () => {
    const signed = await sign(
      ['a.test'],
      { names: ['a.test'] },
      { commonName: 'root', organizationalUnit: 'admins' },
    );
    expect(new X509Certificate(signed.certificate).subject).toBe('CN=a.test');
    expect(signed.dropped).toEqual(['organizationalUnit', 'commonName']);
  });

  it('copies a subject field only with an allowed value', async () => {
    const policy = { names: ['a.test'], copySubject: { organizationalUnit: ['ops'] } };
    const signed = await sign(['a.test'], policy, { organizationalUnit: 'ops' });
    expect(new X509Certificate(signed.certificate).subject).toBe('OU=ops\nCN=a.test');
    const refused = sign(['a.test'], policy, { organizationalUnit: 'admins' });
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_POLICY' });
  });

  it('sets subject fields and adds names of its own', async () => {
    const signed = await sign(['a.test'], {
      names: ['a.test'],
      addNames: ['b.test'],
      subject: { commonName: 'set here' },
    });
    const certificate = new X509Certificate(signed.certificate);
    expect(certificate.subject).toBe('CN=set here');
    expect(certificate.subjectAltName).toBe('DNS:a.test, DNS:b.test');
  });

  it('decides validity and kind, whatever was requested', async () => {
    const signed = await sign(['a.test'], { names: ['a.test'], kind: 'client', days: 1 }, { kind: 'peer' });
    const certificate = new X509Certificate(signed.certificate);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBeLessThan(86_400_000);
  });
});
