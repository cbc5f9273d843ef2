import { describe, expect, it } from 'vitest';
import {
  checkRevocation,
  parseCrl,
  parseCrls,
  toPem,
  verifyCrlSignature,
  verifyPathSync,
  type CertificateRevocationList,
} from '@knsock/core/x509';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extension,
  generalName,
  integer,
  issue,
  issueCa,
  issueServer,
  issuingPoint,
  keyUsage,
  makeCrl,
  makeCrlDer,
  now,
  octets,
  sequence,
  subjectKeyIdentifier,
  tlv,
  type CrlWish,
  type Made,
} from './issue.js';

const root = issueCa({ subject: 'CN=Root', extensions: [subjectKeyIdentifier(Buffer.alloc(20, 1))] });
const leaf = issueServer({ issuer: root, serial: 0x1234 });
const revoked = [{ serial: 0x1234, reason: 1, date: '2025-11-05T00:00:00Z' }];

/** Status of the leaf by lists made to these wishes. */
const status = (...wishes: Omit<CrlWish, 'issuer'>[]): string =>
  statusBy(wishes.map((wish) => makeCrl({ issuer: root, ...wish })));
const statusBy = (
  crls: CertificateRevocationList[],
  certificate: Made = leaf,
  issuer: Made | undefined = root,
): string => checkRevocation(certificate.certificate, issuer.certificate, crls, { at: now.getTime() }).status;

function verdict(crls: readonly (CertificateRevocationList | Uint8Array | string)[], at: Date = now): string {
  const result = verifyPathSync({ leaf: leaf.der, anchors: [root.der], at, usage: 'server', crls });
  return result.ok ? 'ok' : `${result.reason} at ${result.position}: ${result.message}`;
}

describe('a CRL', () => {
  it('says what it is', () => {
    const crl = makeCrl({ issuer: root, number: 0x1f, revoked: [...revoked, { serial: 0xffn }] });
    expect(crl).toMatchObject({
      version: 2,
      number: '1f',
      thisUpdate: new Date('2025-12-01'),
      nextUpdate: new Date('2026-02-01'),
    });
    expect(crl.entries.size).toBe(2);
    expect(crl.find(leaf.certificate)).toEqual({
      serial: '1234',
      date: new Date('2025-11-05'),
      reason: 'keyCompromise',
    });
    expect([...crl.entries].map(({ serial, reason }) => `${serial} ${reason}`)).toEqual([
      '1234 keyCompromise',
      'ff undefined',
    ]);
    expect(crl.find(issueServer({ issuer: root, serial: 0x12 }).certificate)).toBeUndefined();
  });

  it('is read from PEM under both labels, several from a bundle', () => {
    const der = makeCrlDer({ issuer: root });
    const bundle = toPem('X509 CRL', der) + toPem('CRL', der);
    expect(parseCrls(bundle)).toHaveLength(2);
    expect(parseCrl(toPem('CRL', der)).fingerprint256).toBe(parseCrl(der).fingerprint256);
    expect(() => parseCrl(bundle)).toThrow('2 revocation lists instead of one');
    expect(() => parseCrl(toPem('CERTIFICATE', leaf.der))).toThrow('not a revocation list');
  });

  it('is held in little more than its own bytes, with 100,000 entries', () => {
    const entries = Array.from({ length: 100_000 }, (_, at) => ({
      serial: 0x7000_0000_0000n + BigInt(at) * 7n,
      reason: 1,
    }));
    const crl = makeCrl({ issuer: root, revoked: [...entries, ...revoked] });
    expect(crl.entries.size).toBe(100_001);
    expect(crl.find(leaf.certificate)?.reason).toBe('keyCompromise');
    expect(crl.entries.find(Buffer.from('70000000000e', 'hex'))?.serial).toBe('70000000000e');
    expect(crl.entries.find(Buffer.from('70000000000d', 'hex'))).toBeUndefined();
  });

  it('is signed by its issuer, which has the right to', () => {
    const crl = makeCrl({ issuer: root });
    expect(verifyCrlSignature(crl, root.certificate)).toBe(true);
    expect(verifyCrlSignature(crl, leaf.certificate)).toBe(false);
    const changed = makeCrlDer({ issuer: root });
    changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
    expect(verifyCrlSignature(parseCrl(changed), root.certificate)).toBe(false);
    const noRight = issue({
      subject: 'CN=Root',
      keyOf: root,
      extensions: [basicConstraints(true), keyUsage(5)],
    });
    expect(verifyCrlSignature(crl, noRight.certificate)).toBe(false);
  });
});

describe('looking a certificate up', () => {
  it('finds it good, revoked or not covered', () => {
    expect(status({})).toBe('good');
    expect(status({ revoked })).toBe('revoked');
    expect(statusBy([])).toBe('uncovered');
    expect(statusBy([makeCrl({ issuer: issueCa({ subject: 'CN=Other' }), revoked })])).toBe('uncovered');
  });

  it('finds stale lists stale, but still believes what they revoke', () => {
    expect(status({ nextUpdate: '2025-12-31T23:59:59Z' })).toBe('stale');
    expect(status({ nextUpdate: now })).toBe('good');
    expect(status({ nextUpdate: null })).toBe('stale');
    expect(status({ thisUpdate: '2026-01-01T00:00:01Z' })).toBe('stale');
    expect(status({ nextUpdate: '2025-12-31T00:00:00Z', revoked })).toBe('revoked');
  });

  it('goes by the newest list of several', () => {
    const old = { thisUpdate: '2025-10-01T00:00:00Z', nextUpdate: '2025-10-02T00:00:00Z' };
    expect(status(old, {})).toBe('good');
    expect(status({}, old)).toBe('good');
    expect(status({ ...old, revoked: [{ serial: 0x1234, reason: 6 }] }, {})).toBe('good'); // a hold that was lifted
    expect(status(old, { revoked })).toBe('revoked');
    expect(status({ thisUpdate: '2026-01-15T00:00:00Z', nextUpdate: '2026-03-01T00:00:00Z' }, {})).toBe(
      'good',
    );
  });

  it('goes by the number of lists that are of one second, and by both where they have none', () => {
    const [older, newer] = [{ number: 0xff }, { number: 0x100, revoked }];
    expect(status(older, newer)).toBe('revoked');
    expect(status(newer, older)).toBe('revoked');
    expect(status({ ...older, revoked }, { number: 0x100 })).toBe('good');
    expect(status({ number: 0x100 }, { ...older, revoked })).toBe('good');
    expect(status({ number: null, revoked }, { number: null })).toBe('revoked');
    expect(status({ number: null }, { number: null, revoked })).toBe('revoked');
  });

  it('relies on no list with another signature, whatever else there is', () => {
    const impostor = issueCa({ subject: 'CN=Root' });
    expect(statusBy([makeCrl({ issuer: impostor })])).toBe('unusable');
    expect(statusBy([makeCrl({ issuer: impostor, revoked }), makeCrl({ issuer: root })])).toBe('good');
    expect(statusBy([makeCrl({ issuer: impostor }), makeCrl({ issuer: root, revoked })])).toBe('revoked');
  });

  it("passes over the list of the CA's other key", () => {
    const other = issueCa({ subject: 'CN=Root' });
    const ofOther = makeCrl({ issuer: other, extensions: [authorityKeyIdentifier(Buffer.alloc(20, 2))] });
    expect(statusBy([ofOther])).toBe('uncovered');
    const misnamed = makeCrl({
      issuer: root,
      revoked,
      extensions: [authorityKeyIdentifier(Buffer.alloc(20, 2))],
    });
    expect(statusBy([misnamed])).toBe('revoked');
  });

  it("relies on no list that it doesn't wholly understand, but believes what it revokes", () => {
    const unknown = extension('1.3.6.1.4.1.55555.1', Buffer.of(5, 0), true);
    const delta = extension('2.5.29.27', integer(1), true);
    const criticalNumber = extension('2.5.29.20', integer(1), true);
    const inEntry = [{ serial: 0x99, extensions: [unknown] }];
    for (const wish of [
      { extensions: [unknown] },
      { extensions: [delta] },
      { number: null, extensions: [criticalNumber] },
      { revoked: inEntry },
    ]) {
      expect(status(wish)).toBe('unusable');
      expect(status({ ...wish, revoked: [...(wish.revoked ?? []), ...revoked] })).toBe('revoked');
    }
  });

  it('believes a delta list beside the full one', () => {
    const delta = { extensions: [extension('2.5.29.27', integer(1), true)] };
    expect(status({}, { ...delta, revoked })).toBe('revoked');
    expect(status({}, { ...delta, revoked: [{ serial: 0x1234, reason: 8 }] })).toBe('good');
  });

  it('wants a CRL number where told to, and under the rules of the web', () => {
    const crls = [makeCrl({ issuer: root, number: null })];
    expect(statusBy(crls)).toBe('good');
    const strict = { at: now.getTime(), acceptUnnumbered: false };
    expect(checkRevocation(leaf.certificate, root.certificate, crls, strict).status).toBe('unusable');
    const given = { leaf: leaf.der, anchors: [root.der], at: now, usage: 'server', crls } as const;
    expect(verifyPathSync(given).ok).toBe(true);
    const refused = { ok: false, reason: 'revocation-unknown' };
    expect(verifyPathSync({ ...given, revocation: { unnumbered: 'refuse' } })).toMatchObject(refused);
  });

  it('minds the scope of a list', () => {
    const flag = (number: number): Buffer => tlv(0x80 | number, Buffer.of(0xff));
    const place = (uri: string): Buffer => tlv(0xa0, tlv(0xa0, generalName(uri)));
    const scoped = (...parts: Buffer[]): CertificateRevocationList =>
      makeCrl({ issuer: root, extensions: [issuingPoint(...parts)] });
    const ca = issueCa({ subject: 'CN=Sub', issuer: root });
    expect(statusBy([scoped(flag(1))])).toBe('good');
    expect(statusBy([scoped(flag(1))], ca)).toBe('uncovered');
    expect(statusBy([scoped(flag(2))])).toBe('uncovered');
    expect(statusBy([scoped(flag(2))], ca)).toBe('good');
    expect(statusBy([scoped(flag(5))])).toBe('uncovered');
    expect(statusBy([scoped(flag(4))])).toBe('good');
    expect(statusBy([scoped(tlv(0x83, Buffer.of(6, 0x40)))])).toBe('unusable');
    const points = extension('2.5.29.31', sequence(sequence(place('URI:http://a.test/1.crl'))));
    const published = issueServer({ issuer: root, extensions: [points] });
    expect(statusBy([scoped(place('URI:http://a.test/1.crl'))], published)).toBe('good');
    expect(statusBy([scoped(place('URI:http://a.test/2.crl'))], published)).toBe('uncovered');
    expect(statusBy([scoped(place('URI:http://a.test/1.crl'))])).toBe('uncovered');
  });

  it('refuses to read flags that are false', () => {
    expect(() => makeCrl({ issuer: root, extensions: [issuingPoint(tlv(0x81, Buffer.of(0)))] })).toThrow(
      "flag that isn't true",
    );
  });

  it('without the issuer counts only lists that were found good before', () => {
    const at = { at: now.getTime() };
    const crl = makeCrl({ issuer: root, revoked });
    expect(checkRevocation(leaf.certificate, undefined, [crl], at).status).toBe('unusable');
    expect(verifyCrlSignature(crl, root.certificate)).toBe(true);
    expect(checkRevocation(leaf.certificate, undefined, [crl], at).status).toBe('revoked');
  });
});

describe('verifying a path with CRLs', () => {
  it('refuses what they revoke, anywhere on the path', () => {
    expect(verdict([makeCrl({ issuer: root, revoked })])).toBe(
      'revoked at 1: certificate 1 of 2 (CN=server) was revoked at 2025-11-05T00:00:00Z (keyCompromise)',
    );
    const middle = issueCa({ subject: 'CN=Middle', issuer: root, serial: 0x77 });
    const below = issueServer({ issuer: middle });
    const crls = [makeCrl({ issuer: root, revoked: [{ serial: 0x77 }] })];
    const result = verifyPathSync({
      leaf: below.der,
      intermediates: [middle.der],
      anchors: [root.der],
      at: now,
      usage: 'server',
      crls,
    });
    expect(result).toMatchObject({ reason: 'revoked', position: 2 });
  });

  it('refuses by a stale or doubtful list, passes without one', () => {
    expect(verdict([makeCrl({ issuer: root })])).toBe('ok');
    expect(verdict([makeCrlDer({ issuer: root })], new Date('2026-03-01'))).toMatch(
      /^crl-stale at 1: .*due for an update at 2026-02-01T00:00:00Z/,
    );
    expect(verdict([toPem('CRL', makeCrlDer({ issuer: issueCa({ subject: 'CN=Root' }) }))])).toMatch(
      /^revocation-unknown at 1: .*isn't signed by the key of CN=Root/,
    );
    expect(verdict([])).toBe('ok');
    expect(verdict(['nothing'])).toMatch(/^revocation-unknown at 1/);
  });

  it("takes another certificate's serial number for nothing else", () => {
    const twin = issueServer({ issuer: root, serial: 0x123400 });
    expect(statusBy([makeCrl({ issuer: root, revoked })], twin)).toBe('good');
  });
});

describe('reading a CRL', () => {
  it('refuses an entry that is malformed, wherever it stands', () => {
    const good = makeCrlDer({
      issuer: root,
      revoked: [{ serial: 1 }, { serial: 2, extensions: [extension('2.5.29.21', octets(Buffer.of(1)))] }],
    });
    expect(() => parseCrl(good)).toThrow('revocation reason');
  });
});
