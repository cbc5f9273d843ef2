import { expect, it } from 'vitest';
import { makeCertificate } from '../testing/made-certificates.js';
import { evidenceOf } from './evidence.js';

it("has a certificate's facts as plain values", () => {
  const issuer = makeCertificate({ commonName: 'CA', isAuthority: true });
  const from = new Date('2026-01-02T03:04:05Z');
  const to = new Date('2027-01-02T03:04:05Z');
  const names = ['a.test', 'b.test'];
  const { certificate } = makeCertificate({ commonName: 'a', issuer, names, from, to, serial: 7 });
  expect(evidenceOf(certificate)).toEqual({
    subject: 'CN=a',
    issuer: 'CN=CA',
    names,
    notBefore: from,
    notAfter: to,
    serial: '07',
    fingerprint256: certificate.fingerprint256,
  });
});
