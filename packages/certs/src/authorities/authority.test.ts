import { X509Certificate, createPrivateKey } from 'node:crypto';
import { parseCrl } from '@knsock/core/x509';
import { describe, expect, it } from 'vitest';
import { createAuthority, loadAuthority } from './authority.js';
import { createSelfSigned, type IssueOptions } from '../issuing/issue.js';
import type { KeyType } from '../keys/keys.js';

const DAY = 86_400_000;
const leaf = { kind: 'client', names: ['a.test'] } as const;

describe('an authority', () => {
  it('issues a server certificate that carries each kind of name', async () => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const names = [
      '*.münchen.example',
      '10.0.0.1',
      '2001:DB8:0::1',
      'spiffe://example/db',
      'ops@bücher.example',
    ];
    const issued = await authority.issue({ kind: 'server', names });
    const certificate = new X509Certificate(issued.certificate);
    expect(certificate.subjectAltName).toBe(
      'DNS:*.xn--mnchen-3ya.example, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1, ' +
        'URI:spiffe://example/db, email:ops@xn--bcher-kva.example',
    );
    expect(certificate.checkPrivateKey(createPrivateKey(issued.key))).toBe(true);
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  });

  it.each([
    ['server', ['1.3.6.1.5.5.7.3.1']],
    ['client', ['1.3.6.1.5.5.7.3.2']],
    ['peer', ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']],
  ] as const)('gives a %s certificate its extended key usage', async (kind, usages) => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const { certificate } = await authority.issue({ kind, names: ['a.test'] });
    expect(new X509Certificate(certificate).keyUsage).toEqual(usages);
  });

  it.each(['p256', 'p384', 'ed25519', 'rsa2048'] satisfies KeyType[])(
    'signs with %s keys',
    async (keyType) => {
      const authority = await createAuthority({ commonName: 'Test CA', keyType });
      const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'], keyType });
      const { publicKey } = new X509Certificate(authority.certificate);
      expect(new X509Certificate(certificate).verify(publicKey)).toBe(true);
    },
  );

  it('returns a chain of the leaf and the intermediates, without the root', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Intermediate' });
    const issued = await intermediate.issue({ kind: 'server', names: ['a.test'] });
    expect(issued.chain).toBe(issued.certificate + intermediate.certificate);
    expect(intermediate.chain).toBe(intermediate.certificate + root.certificate);
    expect(intermediate.root).toBe(root.certificate);
    expect(
      new X509Certificate(intermediate.certificate).verify(new X509Certificate(root.certificate).publicKey),
    ).toBe(true);
  });

  it('makes a leaf valid for 90 days, from an hour ago', async () => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'] });
    const { validFrom, validTo } = new X509Certificate(certificate);
    expect(Date.parse(validTo) + 1_000 - Date.parse(validFrom)).toBe(90 * DAY);
    expect(Date.parse(validFrom)).toBeLessThanOrEqual(Date.now() - 3_600_000);
  });

  it.each([
    [1 / 24, 6 * 60_000],
    [10, 3_600_000],
  ])('backdates a certificate of %s days by %s ms', async (days, skew) => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const { certificate } = await authority.issue({ ...leaf, days });
    const age = Date.now() - Date.parse(new X509Certificate(certificate).validFrom);
    expect(age).toBeGreaterThanOrEqual(skew);
    expect(age).toBeLessThan(skew + 60_000);
  });

  it('refuses more than 398 days unless maxDays says so', async () => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const options = { kind: 'server', names: ['a.test'], days: 399 } as const;
    await expect(authority.issue(options)).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_VALIDITY',
      message: 'a validity of 399 days is over the limit of 398, the most that browsers and Apple accept',
    });
    await expect(authority.issue({ ...options, maxDays: 400 })).resolves.toBeDefined();
  });

  it('issues nothing that outlives it', async () => {
    const authority = await createAuthority({ commonName: 'Test CA', days: 10 });
    const { certificate } = await authority.issue({ kind: 'server', names: ['a.test'] });
    expect(new X509Certificate(certificate).validTo).toBe(new X509Certificate(authority.certificate).validTo);
    const tooLong = authority.issue({ kind: 'server', names: ['a.test'], days: 11 });
    await expect(tooLong).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_VALIDITY' });
  });

  it('refuses a leaf without any name, and accepts a client with only a common name', async () => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    await expect(authority.issue({ kind: 'server' })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_NAME',
    });
    const { certificate } = await authority.issue({
      kind: 'client',
      commonName: 'alice',
      organizationalUnit: ['ops', 'db'],
    });
    expect(new X509Certificate(certificate).subject).toBe('OU=ops\nOU=db\nCN=alice');
  });

  it('signs subordinate authorities only as deep as its path length allows', async () => {
    const root = await createAuthority({ commonName: 'Root', pathLength: 1 });
    const tooDeep = root.intermediate({ commonName: 'A', pathLength: 1 });
    await expect(tooDeep).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PATH_LENGTH' });
    const intermediate = await root.intermediate({ commonName: 'A' });
    const below = intermediate.intermediate({ commonName: 'B' });
    await expect(below).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_PATH_LENGTH' });
  });

  it.each(['outside.test', '10.0.0.1', 'not-example.test'])(
    'refuses to sign for %s against a constraint of an authority above',
    async (name) => {
      const root = await createAuthority({
        commonName: 'Root',
        nameConstraints: { permitted: ['example.test'] },
      });
      const intermediate = await root.intermediate({ commonName: 'Intermediate' });
      const refused = intermediate.issue({ kind: 'server', names: [name] });
      await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NAME_CONSTRAINT' });
      await expect(intermediate.issue({ kind: 'server', names: ['a.example.test'] })).resolves.toBeDefined();
    },
  );

  it('leaves out a default common name that its constraints would refuse, and refuses one that was asked for', async () => {
    const authority = await createAuthority({
      commonName: 'Root',
      nameConstraints: { permitted: ['10.0.0.0/8'] },
    });
    const { certificate } = await authority.issue({ kind: 'server', names: ['10.1.2.3'] });
    // Node 24 shows an empty subject as an empty text.
    expect(new X509Certificate(certificate).subject ?? '').toBe('');
    const refused = authority.issue({ kind: 'client', commonName: 'ann.example' });
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NAME_CONSTRAINT' });
    await expect(authority.issue({ kind: 'client', commonName: 'Ann Example' })).resolves.toBeDefined();
  });

  it.each([
    [{ kind: 'host' }, 'kind'],
    [{ crlUrls: ['root.crl'] }, 'crlUrls'],
    [{ crlUrls: ['javascript://a.test/%0a'] }, 'crlUrls'],
  ])('refuses the option %j by its name', async (options, option) => {
    const authority = await createAuthority({ commonName: 'Root' });
    const issued = authority.issue({ kind: 'server', names: ['a.test'], ...options } as IssueOptions);
    await expect(issued).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option });
  });

  it('refuses dates that no certificate can carry', async () => {
    const far = createAuthority({ commonName: 'Root', days: 1e7 });
    await expect(far).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_VALIDITY' });
  });

  it('continues from its last revocation list, whichever tool signed it', async () => {
    const first = await createAuthority({ commonName: 'Root' });
    const [one, two] = [await first.issue(leaf), await first.issue(leaf)];
    await first.revoke(one.certificate, 'key-compromise');
    await first.crl();
    const crl = (await first.crl()).pem;
    const again = await loadAuthority({ chain: first.chain, key: first.key, crl });
    await again.revoke(Buffer.from(two.certificate));
    const next = await again.crl();
    expect(next.number).toBe(3);
    const listed = [...parseCrl(next.der).entries].map(({ serial, reason }) => [serial, reason] as const);
    const serial = ({ certificate }: { certificate: string }) =>
      new X509Certificate(certificate).serialNumber.toLowerCase();
    expect(new Map<string, string | undefined>(listed)).toEqual(
      new Map([
        [serial(one), 'keyCompromise'],
        [serial(two), undefined],
      ]),
    );
    const stranger = await createAuthority({ commonName: 'Root' });
    const mixed = loadAuthority({ chain: stranger.chain, key: stranger.key, crl });
    await expect(mixed).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_NOT_ISSUED_HERE' });
  });

  it('in memory, ends a hold by a revocation for good', async () => {
    const authority = await createAuthority({ commonName: 'Root' });
    const { certificate } = await authority.issue(leaf);
    const { at } = await authority.revoke(certificate, 'certificate-hold');
    expect(await authority.revoke(certificate, 'superseded')).toMatchObject({ at, changed: true });
    expect(await authority.revoke(certificate, 'certificate-hold')).toMatchObject({ changed: false });
    expect([...parseCrl((await authority.crl()).der).entries]).toMatchObject([{ reason: 'superseded' }]);
  });

  it("doesn't revoke itself in its own list, but does revoke an authority below it", async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const issuing = await root.intermediate({ commonName: 'Issuing' });
    const { serialNumber } = new X509Certificate(root.certificate);
    await root.issue(leaf);
    for (const own of [root.certificate, Buffer.from(root.certificate), root.chain])
      await expect(root.revoke(own)).rejects.toMatchObject({
        code: 'KNSOCK_CERTIFICATE_NOT_ISSUED_HERE',
        message: expect.stringContaining("authority's own certificate") as string,
      });
    await expect(root.revoke(serialNumber)).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_NOT_ISSUED_HERE',
    });
    await expect(issuing.revoke(issuing.certificate)).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_NOT_ISSUED_HERE',
    });
    await root.revoke(issuing.certificate);
    const listed = [...parseCrl((await root.crl()).der).entries];
    expect(listed.map(({ serial }) => serial)).toEqual([
      new X509Certificate(issuing.certificate).serialNumber.toLowerCase(),
    ]);
  });

  it('can be loaded again from its files', async () => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const again = await loadAuthority({ chain: authority.chain, key: authority.key });
    const { certificate } = await again.issue({ kind: 'client', names: ['a.test'] });
    expect(new X509Certificate(certificate).checkIssued(new X509Certificate(authority.certificate))).toBe(
      true,
    );
  });

  it("refuses a leaf certificate, and a key that isn't its own", async () => {
    const authority = await createAuthority({ commonName: 'Test CA' });
    const leaf = await authority.issue({ kind: 'server', names: ['a.test'] });
    await expect(loadAuthority({ chain: leaf.chain, key: leaf.key })).rejects.toMatchObject({
      code: 'KNSOCK_CERTIFICATE_NOT_AN_AUTHORITY',
    });
    const mixed = loadAuthority({ chain: authority.chain, key: leaf.key });
    await expect(mixed).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_KEY_MISMATCH' });
    const garbage = loadAuthority({ chain: 'nonsense', key: leaf.key });
    await expect(garbage).rejects.toMatchObject({ code: 'KNSOCK_CERTIFICATE_MALFORMED' });
  });
});

describe('a self-signed certificate', () => {
  it('is signed by its own key', async () => {
    const { certificate, chain, key } = await createSelfSigned({ names: ['localhost', '127.0.0.1'] });
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(chain).toBe(certificate);
  });
});
