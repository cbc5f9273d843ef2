import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toPem } from '../files/pem.js';
import { keyAtHand } from '../keys/signer.js';
import { createAuthority } from '../authorities/authority.js';
import { signCertificate } from '../issuing/certificate.js';
import { basicConstraints, extendedKeyUsage, extension, leafKeyUsage } from '../issuing/extensions.js';
import { createSelfSigned } from '../issuing/issue.js';
import { randomSerial } from '../issuing/serial.js';
import { buildSubject } from '../issuing/subject.js';
import { generateKey } from '../keys/keys.js';
import { x509Library, type Extension } from '../x509.js';
import { lint } from './lint.js';

const rulesOf = async (...args: Parameters<typeof lint>) =>
  (await lint(...args)).map(({ rule, position }) => `${position} ${rule}`);
const fixture = (name: string) => ({ file: new URL(`../fixtures/${name}`, import.meta.url).pathname });

/** A server's certificate with further extensions, and names as they are. */
async function oddCertificate(extensions: readonly Extension[], names: readonly object[]): Promise<string> {
  const library = await x509Library();
  const key = await generateKey();
  const { GeneralName, SubjectAlternativeName, id_ce_subjectAltName } = library;
  const general = (names.length === 0 ? [{ dNSName: 'a.test' }] : names).map((name) => new GeneralName(name));
  const alternative = extension(library, id_ce_subjectAltName, false, new SubjectAlternativeName(general));
  const subject = buildSubject(library, { commonName: 'a' });
  const own = [
    basicConstraints(library, false),
    leafKeyUsage(library, 'server', key),
    extendedKeyUsage(library, 'server'),
  ];
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
  const all = [...own, alternative, ...extensions];
  const publicKey = createPublicKey(key);
  const parts = { serial: randomSerial(), subject, issuer: subject, validity, publicKey, extensions: all };
  return toPem('CERTIFICATE', await signCertificate(library, parts, keyAtHand(key)));
}

describe('lint', () => {
  it('finds nothing in what this package issues', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({
      commonName: 'Below',
      nameConstraints: { permitted: ['test'] },
    });
    for (const kind of ['server', 'client', 'peer'] as const) {
      expect(await rulesOf((await intermediate.issue({ kind, names: ['a.test'] })).chain)).toEqual([]);
    }
    expect(await rulesOf(root.certificate)).toEqual([]);
    expect(await rulesOf((await createSelfSigned({ names: ['a.test'] })).certificate)).toEqual([]);
  });

  it("names uses that Netscape's certificate type leaves out", async () => {
    const { Extension: Made, OctetString } = await x509Library();
    const typed = (bits: number) =>
      new Made({
        extnID: '2.16.840.1.113730.1.1',
        extnValue: new OctetString(Uint8Array.of(0x03, 0x02, 0x00, bits).buffer),
      });
    const ofClients = await lint(await oddCertificate([typed(0x80)], []));
    expect(ofClients.map(({ rule, message }) => `${rule}: ${message}`)).toContainEqual(
      "netscape-type: it has a Netscape certificate type (SSL client) that doesn't allow TLS servers",
    );
    expect(await rulesOf(await oddCertificate([typed(0xc0)], []))).not.toContain('1 netscape-type');
  });

  it("finds dates, a long life, a wildcard and a name that isn't listed", async () => {
    const options = { names: ['*.test'], commonName: 'other.test', days: 400, maxDays: 400 };
    const { certificate } = await createSelfSigned(options);
    const odd = ['1 long-validity', '1 no-usable-name', '1 name-not-listed'];
    expect(await rulesOf(certificate)).toEqual(odd);
    expect(await rulesOf(certificate, { at: new Date(Date.now() + 401 * 86_400_000) })).toEqual([
      '1 expired',
      ...odd,
    ]);
    expect(await rulesOf(certificate, { at: new Date(0) })).toEqual(['1 not-yet-valid', ...odd]);
  });

  it('finds a chain out of order, and a root in the chain', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Below' });
    const { certificate } = await intermediate.issue({ kind: 'server', names: ['a.test'] });
    expect(await rulesOf(certificate + root.certificate + intermediate.certificate)).toEqual([
      '2 chain-order',
      '2 root-in-chain',
    ]);
  });

  it.each([
    ['openssl-recipe.crt', ['1 old-version', '1 no-names', '1 no-extended-usage', '1 long-validity']],
    [
      'weak-rsa-sha1.crt',
      ['1 weak-key', '1 weak-signature', '1 expired', '1 no-extended-usage', '1 no-signing'],
    ],
    // The key is refused; the issuer's signature is an ordinary one.
    ['explicit-curve.crt', ['1 weak-key']],
    ['bare-authority.crt', ['1 no-key-usage', '1 soft-authority', '1 no-key-identifier']],
  ])('finds what is wrong with %s', async (file, rules) => {
    expect(await rulesOf(fixture(file), { at: new Date('2027-01-01') })).toEqual(rules);
  });

  it.each([
    ['127.0.0.1', 'is an IP address'],
    ['https://a.test', 'is a URL'],
    ['a.test:443', 'has a port'],
    ['a.test\0.b.test', 'has a NUL'],
  ])('finds the name %j, which no client can match', async (dNSName, problem) => {
    const alone = await lint(await oddCertificate([], [{ dNSName }]));
    expect(alone).toMatchObject([{ rule: 'no-usable-name', severity: 'error' }]);
    expect(alone[0]?.message).toContain(problem);
    const beside = await lint(await oddCertificate([], [{ dNSName: 'a.test' }, { dNSName }]));
    expect(beside).toMatchObject([{ rule: 'unmatchable-name', severity: 'warning' }]);
  });

  it('finds what knsock itself refuses: unknown critical extensions, signing rights of what is no CA', async () => {
    const library = await x509Library();
    const critical = extension(library, '1.2.3.4', true, new library.SubjectKeyIdentifier(Buffer.alloc(4)));
    expect(await lint(await oddCertificate([critical], []))).toMatchObject([
      {
        rule: 'refused',
        severity: 'error',
        position: 1,
        of: 1,
        message: expect.stringContaining('1.2.3.4') as string,
      },
    ]);
    const root = await createAuthority({ commonName: 'Root' });
    const leaf = await root.issue({ kind: 'server', names: ['a.test'] });
    const below = await createSelfSigned({ names: ['b.test'] });
    expect((await rulesOf(leaf.certificate + below.certificate)).join()).toContain('2 chain-order');
  });

  it("finds an issuer of the right name with another key, and key identifiers that don't match", async () => {
    const [one, two] = [
      await createAuthority({ commonName: 'Root' }),
      await createAuthority({ commonName: 'Root' }),
    ];
    const below = await one.intermediate({ commonName: 'Below' });
    const { certificate } = await below.issue({ kind: 'server', names: ['a.test'] });
    const other = await two.intermediate({ commonName: 'Below' });
    expect(await rulesOf(certificate + other.certificate)).toEqual(['1 key-identifiers']);
  });

  it('says what to do about each finding', async () => {
    for (const { message, fix } of await lint(fixture('weak-rsa-sha1.crt'))) {
      expect(message.length).toBeGreaterThan(10);
      expect(fix).toMatch(/\.$/);
    }
  });
});
