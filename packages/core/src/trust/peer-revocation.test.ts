import { rootCertificates } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { CertificateIdentity } from '../transport/peer-identity.js';
import { parseCertificate } from '../x509/index.js';
import { checkPeerRevocation } from './peer-revocation.js';
import type { RevocationSource, RevocationVerdict } from './revocation.js';

// Any two certificates will do: their contents aren't read here.
const path = rootCertificates.slice(0, 2).map((pem) => parseCertificate(pem));
const peer = new CertificateIdentity(path);
const { signal } = new AbortController();

function asked(check: (...args: unknown[]) => unknown) {
  const source: RevocationSource = {
    version: '1',
    onChange: () => () => undefined,
    check: check as () => RevocationVerdict,
  };
  return checkPeerRevocation(source, peer, signal);
}

describe('checkPeerRevocation', () => {
  it('accepts a good certificate, by an answer at once or later', async () => {
    expect(asked(() => ({ status: 'good', position: 1 }))).toBeNull();
    expect(await asked(() => Promise.resolve({ status: 'good', position: 1 }))).toBeNull();
  });

  it('refuses a revoked one, and names it and the reason', () => {
    const refused = asked(() => ({ status: 'revoked', position: 2, reason: 'keyCompromise' }));
    expect(refused).toMatchObject({
      reason: 'revoked',
      position: 2,
      certificate: { fingerprint256: path[1]?.fingerprint256 },
    });
    expect((refused as Error).message).toMatch(/^certificate 2 of 2 \(.+\) is revoked: keyCompromise$/);
  });

  it('distinguishes a stale list from a missing one', () => {
    expect(asked(() => ({ status: 'unknown', position: 1, reason: 'crl-stale' }))).toMatchObject({
      reason: 'crl-stale',
    });
    expect(asked(() => ({ status: 'unknown', position: 1 }))).toMatchObject({ reason: 'revocation-unknown' });
  });

  it.each([undefined, null, true, 'good', {}, { status: 'Good' }, { status: ['good'] }, { status: 'good?' }])(
    'refuses where the source answers %j',
    async (answer) => {
      expect(asked(() => answer)).toMatchObject({ reason: 'revocation-unknown', position: 1 });
      expect(await asked(() => Promise.resolve(answer))).toMatchObject({ reason: 'revocation-unknown' });
    },
  );

  it("reports the peer's own certificate where the position is outside the path", () => {
    for (const position of [7, 0, 1.5, -1, 'x']) {
      expect(asked(() => ({ status: 'revoked', position }))).toMatchObject({
        position: 1,
        certificate: { fingerprint256: path[0]?.fingerprint256 },
      });
    }
  });

  it('passes the source the path, the time and a signal that fires at the deadline', () => {
    const given: unknown[] = [];
    const before = Date.now();
    void asked((...args: unknown[]) => {
      given.push(...args);
      return { status: 'good', position: 1 };
    });
    expect(given).toEqual([path, { at: expect.any(Date) as Date, signal }]);
    const { at } = given[1] as { at: Date };
    expect(at.getTime()).toBeGreaterThanOrEqual(before);
  });

  it.each<[object, RegExp]>([
    [{ status: 'revoked', position: 1 }, /^certificate 1 of 2 \(.+\) is revoked$/],
    [{ status: 'revoked', position: 1, reason: 7 }, /^certificate 1 of 2 \(.+\) is revoked$/],
    [
      { status: 'unknown', position: 2 },
      /^whether certificate 2 of 2 .+ is unknown: no loaded CRL covers it$/,
    ],
    [{ status: 'unknown', position: 1, reason: 'offline' }, /is unknown: offline$/],
    [
      { status: 'unknown', position: 1, reason: 'crl-stale' },
      /is unknown: the CRL that covers it is out of date$/,
    ],
    [{ status: 'revoked', position: 'x' }, /^certificate 1 of 2 /],
  ])('reports the meaning of %j', (answer, words) => {
    const refused = asked(() => answer);
    expect((refused as Error).message).toMatch(words);
    expect(refused).toMatchObject({ certificate: { subject: expect.any(String) as string } });
  });

  it('refuses where the source throws or rejects, and keeps the cause', async () => {
    const cause = new Error('unreachable');
    const failed = { reason: 'revocation-unknown', cause };
    expect(
      asked(() => {
        throw cause;
      }),
    ).toMatchObject(failed);
    expect(await asked(() => Promise.reject(cause))).toMatchObject(failed);
  });
});
