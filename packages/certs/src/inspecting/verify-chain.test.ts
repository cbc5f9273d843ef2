import { describe, expect, it } from 'vitest';
import { createAuthority } from '../authorities/authority.js';
import { createCsr } from '../issuing/csr.js';
import { fingerprint } from '../files/fingerprint.js';
import { createSelfSigned } from '../issuing/issue.js';
import { keyMatches } from '../keys/key-matches.js';
import { verifyChain } from './verify-chain.js';

describe('verifying a chain', () => {
  it('shows the path of one that is trusted', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const intermediate = await root.intermediate({ commonName: 'Below' });
    const { chain } = await intermediate.issue({ kind: 'server', names: ['a.test', '::1'] });
    for (const name of ['a.test', '::1']) {
      const verdict = await verifyChain({ chain, ca: root.root, name });
      expect(verdict).toMatchObject({ ok: true, path: ['CN=a.test', 'CN=Below', 'CN=Root'] });
      expect(verdict.message).toBe('trusted: CN=a.test ← CN=Below ← CN=Root');
    }
  });

  it('reports the reason and what to do', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const { chain } = await root.issue({ kind: 'server', names: ['a.test'] });
    const other = await createAuthority({ commonName: 'Other' });
    const cases = [
      [{ name: 'b.test' }, 'wrong-name'],
      [{ usage: 'client' }, 'wrong-usage'],
      [{ at: new Date('2200-01-01') }, 'expired'],
      [{ ca: other.root }, 'unknown-issuer'],
    ] as const;
    for (const [options, reason] of cases) {
      const verdict = await verifyChain({ chain, ca: root.root, ...options });
      expect(verdict).toMatchObject({ ok: false, reason });
      expect(verdict.message).toContain(`not trusted (${reason}): `);
      expect(verdict).toHaveProperty('hint', expect.stringMatching(/\w/));
    }
  });

  it('takes revocation lists into account', async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const { chain, certificate } = await root.issue({ kind: 'server', names: ['a.test'] });
    const before = await root.crl();
    await root.revoke(certificate, 'key-compromise');
    expect(await verifyChain({ chain, ca: root.root, crls: [before.pem] })).toMatchObject({ ok: true });
    expect(await verifyChain({ chain, ca: root.root, crls: [(await root.crl()).der] })).toMatchObject({
      reason: 'revoked',
      position: 1,
    });
  });

  it("enforces an intermediate's constraints, also for names signed by other tools", async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const limited = await root.intermediate({
      commonName: 'Below',
      nameConstraints: { permitted: ['corp.test'] },
    });
    const { chain } = await limited.issue({ kind: 'server', names: ['a.corp.test'] });
    expect(await verifyChain({ chain, ca: root.root })).toMatchObject({ ok: true });
  });
});

describe('a key', () => {
  it('matches the certificate made for it, and no other', async () => {
    const [one, other] = [
      await createSelfSigned({ names: ['a.test'] }),
      await createCsr({ names: ['a.test'] }),
    ];
    expect(keyMatches(one.certificate, one.key)).toBe(true);
    expect(keyMatches(one.certificate, other.key)).toBe(false);
  });
});

describe('a fingerprint', () => {
  it('keeps its pin through a renewal with the same key', async () => {
    const first = await createSelfSigned({ names: ['a.test'] });
    const second = await createSelfSigned({ names: ['a.test'], privateKey: first.key });
    const [one, two] = [await fingerprint(first.certificate), await fingerprint(second.certificate)];
    expect(one.spkiPin).toBe(two.spkiPin);
    expect(one.sha256).not.toBe(two.sha256);
    expect(one.colons.replaceAll(':', '').toLowerCase()).toBe(one.sha256);
  });
});
