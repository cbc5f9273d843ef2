import { describe, expect, it } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { makeCertificate, makeCrl } from '../testing/made-certificates.js';
import { parseCrl, toPem } from '../x509/index.js';
import { crlRevocation, type CrlRevocationOptions } from './crl-revocation.js';
import { parseTrust } from './trust-policy.js';

const ca = makeCertificate({ commonName: 'CA', isAuthority: true });
const other = makeCertificate({ commonName: 'Other', isAuthority: true });
const good = makeCertificate({ commonName: 'good', issuer: ca });
const bad = makeCertificate({ commonName: 'bad', issuer: ca });
const list = makeCrl({ issuer: ca, revoked: [bad] });
const empty = makeCrl({ issuer: ca });
const foreign = makeCrl({ issuer: other });
const { signal } = new AbortController();
const now = { at: new Date(), signal };

const verdict = (source: ReturnType<typeof crlRevocation>, peer = good) =>
  source.check([peer.certificate, ca.certificate], now);

describe('revocation by lists', () => {
  it.each<[string, CrlRevocationOptions['crls']]>([
    ['DER', [list]],
    ['PEM', [toPem('X509 CRL', list)]],
    ['a bundle', [`${toPem('X509 CRL', foreign)}${toPem('X509 CRL', list)}`]],
    ['a list that was read', [parseCrl(list)]],
    ['several', [foreign, list]],
  ])('accepts %s', (_what, crls) => {
    const source = crlRevocation({ crls });
    expect(verdict(source)).toMatchObject({ status: 'good' });
    expect(verdict(source, bad)).toMatchObject({ status: 'revoked', position: 1 });
  });

  it('answers unknown for certificates that no list covers', () => {
    expect(verdict(crlRevocation({ crls: [foreign] }))).toMatchObject({ status: 'unknown' });
    expect(verdict(crlRevocation({ crls: [foreign], unknown: 'accept' }))).toMatchObject({ status: 'good' });
  });

  it('checks lists against the time of the query', () => {
    const source = crlRevocation({ crls: [list] });
    const at = new Date(Date.now() + 7 * 86_400_000);
    expect(source.check([good.certificate, ca.certificate], { at, signal })).toMatchObject({
      status: 'unknown',
      reason: 'crl-stale',
    });
  });

  it("accepts a list that another key of the CA signed where that key's certificate is given", () => {
    const newKey = makeCertificate({ commonName: 'CA', isAuthority: true, issuer: ca });
    const crls = [makeCrl({ issuer: newKey, revoked: [bad] })];
    expect(verdict(crlRevocation({ crls }), bad)).toMatchObject({ status: 'unknown' });
    for (const issuer of [newKey.certificate, newKey.der, newKey.pem])
      expect(verdict(crlRevocation({ crls, issuers: [issuer] }), bad)).toMatchObject({ status: 'revoked' });
  });

  it('has a version that changes with lists, issuers and options', () => {
    const versions = [
      { crls: [list] },
      { crls: [empty] },
      { crls: [list, empty] },
      { crls: [list], issuers: [other.der] },
      { crls: [list], unknown: 'accept' } as const,
      { crls: [list], depth: 'chain' } as const,
    ].map((options) => crlRevocation(options).version);
    expect(new Set(versions).size).toBe(versions.length);
    expect(crlRevocation({ crls: [toPem('X509 CRL', list)] }).version).toBe(versions[0]);
  });

  it('never changes on its own', () => {
    const end = crlRevocation({ crls: [list] }).onChange(() => {
      throw new Error('it changed');
    });
    expect(end).not.toThrow();
  });

  it.each<[string, unknown]>([
    ['without lists', {}],
    ['with an empty list of them', { crls: [] }],
    ['with one list instead of a list of them', { crls: list }],
    ["with an option that doesn't exist", { crls: [list], stales: 'accept' }],
  ])("isn't created %s", (_how, options) => {
    expect(() => crlRevocation(options as CrlRevocationOptions)).toThrow(
      expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION' }) as Error,
    );
  });
});

describe('the lists of credentials', () => {
  const side = { usage: 'client', required: true, name: null, verify: 'chain' } as const;

  it('are what peers are checked against, unless a source is given', () => {
    const credentials = createCredentials({ ca: ca.pem, crl: list });
    const { revocation } = parseTrust({}, { ...side, credentials });
    expect(revocation?.check([bad.certificate, ca.certificate], now)).toMatchObject({ status: 'revoked' });
    const own = crlRevocation({ crls: [empty] });
    expect(parseTrust({ revocation: own }, { ...side, credentials }).revocation).toBe(own);
  });

  it('may be signed by another key of a CA that we trust', () => {
    const newKey = makeCertificate({ commonName: 'CA', isAuthority: true });
    const cross = makeCertificate({ commonName: 'CA', isAuthority: true, issuer: ca, key: newKey });
    const crl = makeCrl({ issuer: newKey, revoked: [bad] });
    const credentials = createCredentials({ ca: [ca.pem, cross.pem], crl });
    const { revocation } = parseTrust({}, { ...side, credentials });
    expect(revocation?.check([bad.certificate, ca.certificate], now)).toMatchObject({ status: 'revoked' });
  });

  it('may be signed by a CA in our own chain', () => {
    const newKey = makeCertificate({ commonName: 'CA', isAuthority: true });
    const cross = makeCertificate({ commonName: 'CA', isAuthority: true, issuer: ca, key: newKey });
    const own = makeCertificate({ commonName: 'us', issuer: newKey, names: ['us.test'], usage: 'server' });
    const crl = makeCrl({ issuer: newKey, revoked: [bad] });
    const credentials = createCredentials({
      cert: `${own.pem}${cross.pem}`,
      key: own.keyPem,
      ca: ca.pem,
      crl,
    });
    const { revocation } = parseTrust({}, { ...side, credentials });
    expect(revocation?.check([bad.certificate, ca.certificate], now)).toMatchObject({ status: 'revoked' });
  });
});
