import { describe, expect, it } from 'vitest';
import { trustDigest, type SessionTrust } from './trust-digest.js';

type Certificate = NonNullable<SessionTrust['credentials']['certificate']>;

/** The fields of a certificate that sessions are bound to. */
function certificate(changes: Record<string, unknown> = {}): Certificate {
  return {
    subject: 'CN=a.test',
    issuer: 'CN=Test CA',
    dnsNames: ['a.test', 'b.test'],
    ipAddresses: ['192.0.2.1'],
    uris: ['spiffe://a.test/web'],
    emailAddresses: ['web@a.test'],
    serial: '01',
    spkiPin: 'sha256/1',
    ...changes,
  } as unknown as Certificate;
}

function trust(changes: Partial<SessionTrust> & { certificate?: Certificate | null } = {}): SessionTrust {
  const { certificate: own = certificate(), ...rest } = changes;
  return {
    name: null,
    credentials: { certificate: own, anchorsVersion: 'anchors' },
    clientCertificates: 'require',
    trust: { digest: 'rules', revocation: null },
    ...rest,
  };
}

const revocation = { version: '1' } as SessionTrust['trust']['revocation'];

describe('the digest of trust', () => {
  it.each([
    ['the entry', trust({ name: 'a.test' })],
    ['the anchors', trust({ credentials: { certificate: certificate(), anchorsVersion: 'others' } })],
    ['the demand', trust({ clientCertificates: 'request' })],
    ['the rules', trust({ trust: { digest: 'others', revocation: null } })],
    ['the lists', trust({ trust: { digest: 'rules', revocation } })],
    ['the subject', trust({ certificate: certificate({ subject: 'CN=b.test' }) })],
    ['the issuer', trust({ certificate: certificate({ issuer: 'CN=Other CA' }) })],
    ['a name', trust({ certificate: certificate({ dnsNames: ['a.test'] }) })],
    ['an address', trust({ certificate: certificate({ ipAddresses: [] }) })],
    ['a URI', trust({ certificate: certificate({ uris: [] }) })],
    ['a mailbox', trust({ certificate: certificate({ emailAddresses: [] }) })],
    ['the kind of a name', trust({ certificate: certificate({ dnsNames: [], uris: ['a.test', 'b.test'] }) })],
    ['the lack of a certificate', trust({ certificate: null })],
  ])('changes with %s', (_what, changed) => {
    expect(trustDigest(changed)).not.toBe(trustDigest(trust()));
    expect(trustDigest(changed)).toBe(trustDigest(changed));
  });

  it.each([
    ['the serial number', certificate({ serial: '02' })],
    ['the key', certificate({ spkiPin: 'sha256/2' })],
    ['the order of the names', certificate({ dnsNames: ['b.test', 'a.test'] })],
    ['the case of the names', certificate({ dnsNames: ['A.test', 'b.TEST'] })],
  ])('stays the same where only %s changes', (_what, renewed) => {
    expect(trustDigest(trust({ certificate: renewed }))).toBe(trustDigest(trust()));
  });
});
