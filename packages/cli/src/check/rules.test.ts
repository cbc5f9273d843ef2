import { readFileSync } from 'node:fs';
import { createAuthority, createSelfSigned } from '@knsock/certs';
import { parseCertificates, parseCrls } from '@knsock/core/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EndpointEvidence } from './endpoint-evidence.js';
import { suites as allSuites } from './probing/suites.js';
import type { VersionSurvey } from './probing/survey.js';
import type { TlsVersion } from './probing/tls-version.js';
import { chainEvidence } from './chain-evidence.js';
import type { ChainEvidence, KeyEvidence } from './rule.js';
import { chainRules, endpointRules, keyRules, listRules, verificationRules } from './rules.js';

const suite = (name: string) => {
  const found = allSuites.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no suite ${name}`);
  return found;
};

function version(name: TlsVersion, suites: string[], more: Partial<VersionSurvey> = {}): VersionSurvey {
  return {
    version: name,
    suites: suites.map(suite),
    groups: ['X25519'],
    signatureAlgorithms: ['ed25519'],
    ...more,
  };
}

const tls12 = version('TLSv1.2', [
  'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
]);
const tls13 = version('TLSv1.3', ['TLS_AES_128_GCM_SHA256'], { groups: ['X25519MLKEM768', 'X25519'] });

/** A server without findings. */
const good: EndpointEvidence = {
  versions: [tls12, tls13],
  serverPreference: true,
  compression: false,
  secureRenegotiation: true,
  extendedMasterSecret: true,
  fallbackProtected: true,
  dhBits: 2_048,
  asksForCertificate: true,
  renegotiation: false,
  resumption: { tickets: true, ids: false },
  admitsAnonymous: false,
  admitsStrangers: false,
  plainText: 'closes',
  verdict: { ok: true },
};

/** Rule → evidence that must trigger it, with the severity and a word of its message. */
const bad: Record<string, [Partial<EndpointEvidence>, severity: string, words: string][]> = {
  verification: [[{ verdict: { ok: false, words: 'unknown-issuer: x' } }, 'error', 'unknown-issuer']],
  'minimum-tls': [
    [{ versions: [version('SSLv2', []), tls13] }, 'error', 'SSLv2'],
    [{ versions: [version('SSLv3', []), tls13] }, 'error', 'SSLv3'],
    [{ versions: [version('TLSv1', []), version('TLSv1.1', []), tls13] }, 'error', 'TLSv1 and TLSv1.1'],
  ],
  tls13: [[{ versions: [tls12] }, 'warning', 'TLSv1.2 only']],
  ciphers: [
    'TLS_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
    'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
    'TLS_DH_anon_WITH_AES_128_GCM_SHA256',
    'TLS_RSA_EXPORT_WITH_RC4_40_MD5',
    'TLS_ECDHE_ECDSA_WITH_NULL_SHA',
    'TLS_RSA_WITH_3DES_EDE_CBC_SHA',
    'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_PSK_WITH_AES_128_GCM_SHA256',
  ].map((name) => [{ versions: [version('TLSv1.2', [name]), tls13] }, 'error', name]),
  'server-preference': [[{ serverPreference: false }, 'notice', 'client named first']],
  groups: [[{ versions: [{ ...tls12, groups: ['secp192r1', 'P-256'] }, tls13] }, 'warning', 'secp192r1']],
  'hybrid-group': [[{ versions: [tls12, { ...tls13, groups: ['X25519'] }] }, 'notice', 'X25519']],
  'dh-parameters': [[{ dhBits: 1_024 }, 'error', '1,024 bits']],
  'signature-algorithms': [
    [
      { versions: [{ ...tls12, signatureAlgorithms: ['RSA+SHA256', 'RSA+SHA1'] }, tls13] },
      'error',
      'RSA+SHA1',
    ],
  ],
  compression: [[{ compression: true }, 'error', 'compress']],
  renegotiation: [[{ renegotiation: true }, 'warning', 'renegotiated']],
  'secure-renegotiation': [[{ secureRenegotiation: false }, 'error', 'renegotiation_info']],
  'extended-master-secret': [[{ extendedMasterSecret: false }, 'warning', 'extended_master_secret']],
  fallback: [[{ fallbackProtected: false }, 'warning', 'fallen back']],
  resumption: [[{ resumption: { tickets: false, ids: false } }, 'notice', 'resumed']],
  'mutual-tls': [[{ admitsAnonymous: true, admitsStrangers: undefined }, 'notice', 'without a certificate']],
  'client-certificate-refusal': [[{ admitsStrangers: true }, 'error', 'self-signed']],
  'error-behaviour': [
    [{ plainText: 'hangs' }, 'warning', 'open'],
    [{ plainText: 'answers' }, 'notice', 'plain text'],
  ],
};

/** The triggered rules, with their messages. */
function fired<Evidence>(
  rules: readonly {
    id: string;
    severities: readonly string[];
    check: (evidence: Evidence) => { severity: string; evidence: string } | null;
  }[],
  evidence: Evidence,
): { id: string; severity: string; evidence: string }[] {
  return rules.flatMap(({ id, severities, check }) => {
    const found = check(evidence);
    if (found === null) return [];
    expect(severities).toContain(found.severity);
    return [{ id, ...found }];
  });
}

describe('the rules for endpoints', () => {
  it("report nothing if nothing is wrong, or it can't be known", () => {
    expect(fired(endpointRules, good)).toEqual([]);
    const unknown = {
      versions: [tls13],
      serverPreference: undefined,
      secureRenegotiation: undefined,
      extendedMasterSecret: undefined,
      fallbackProtected: undefined,
      dhBits: null,
      asksForCertificate: undefined,
      resumption: undefined,
      admitsStrangers: undefined,
    };
    expect(fired(endpointRules, { ...good, ...unknown })).toEqual([]);
  });

  it('have each a case here that triggers it', () => {
    expect(Object.keys(bad).sort()).toEqual(endpointRules.map(({ id }) => id).sort());
  });

  it.each(Object.entries(bad).flatMap(([id, cases]) => cases.map((one) => [id, one[2], one] as const)))(
    '%s fires on: %s',
    (id, _, [evidence, severity, words]) => {
      const found = fired(endpointRules, { ...good, ...evidence });
      expect(found).toEqual([{ id, severity, evidence: expect.stringContaining(words) as string }]);
    },
  );
});

const DAY = 86_400_000;

describe('the rules for chains', () => {
  let chain: ChainEvidence['chain'];
  let root: ChainEvidence['chain'];
  const at = new Date();
  const evidence = (more: Partial<ChainEvidence> = {}): ChainEvidence =>
    chainEvidence({ chain, at, isOwn: false, anchors: [], hasCrl: true, ...more });
  beforeAll(async () => {
    const authority = await createAuthority({ commonName: 'CA' });
    const intermediate = await authority.intermediate({ commonName: 'Intermediate' });
    const issued = await intermediate.issue({ kind: 'server', names: ['a.test'], days: 90 });
    chain = parseCertificates(issued.chain);
    root = parseCertificates(authority.root);
  });

  it('report nothing on a good chain, and on a CA', () => {
    expect(fired(chainRules, evidence())).toEqual([]);
    expect(fired(chainRules, evidence({ chain: root, hasCrl: false }))).toEqual([]);
  });

  it('fire on what is wrong with one', async () => {
    const self = await createSelfSigned({ kind: 'server', names: ['a.test'], days: 90 });
    const cases: Record<string, Partial<ChainEvidence>> = {
      'ca-signed': { chain: parseCertificates(self.certificate) },
      expiry: { at: new Date(at.getTime() + 80 * DAY) },
      'chain-order': { chain: chain.toReversed() },
      revocation: { hasCrl: false },
    };
    for (const [id, more] of Object.entries(cases)) {
      expect(fired(chainRules, evidence(more)).map((one) => one.id)).toContain(id);
    }
    const shown = fired(chainRules, evidence({ chain: root, isOwn: true }));
    expect(shown.map(({ id }) => id)).toContain('ca-signed');
    const expired = fired(chainRules, evidence({ at: new Date(at.getTime() + 91 * DAY) }));
    expect(expired).toContainEqual(expect.objectContaining({ id: 'expiry', severity: 'error' }));
    const early = fired(chainRules, evidence({ at: new Date(at.getTime() - 91 * DAY) }));
    expect(early).toContainEqual(expect.objectContaining({ id: 'expiry', severity: 'error' }));
  });

  it('fire on a key that only TLS 1.3 has', () => {
    const file = new URL('../../../../tests/src/trust/fixtures/ml-dsa-server.pem', import.meta.url);
    const lattice = parseCertificates(readFileSync(file));
    const found = fired(chainRules, evidence({ chain: lattice, at: lattice[0]?.notBefore ?? at }));
    expect(found).toContainEqual(expect.objectContaining({ id: 'tls12-peers', severity: 'notice' }));
    expect(fired(chainRules, evidence()).map(({ id }) => id)).not.toContain('tls12-peers');
  });

  it('fire on a certificate with a weak key, a weak signature, or no subjectAltName', () => {
    const old = parseCertificates(WEAK);
    const found = fired(chainRules, evidence({ chain: old, at: new Date('2027-06-01') }));
    expect(found).toContainEqual(expect.objectContaining({ id: 'strong-keys', severity: 'error' }));
    expect(found).toContainEqual(expect.objectContaining({ id: 'names', severity: 'error' }));
    expect(found).toContainEqual(expect.objectContaining({ id: 'rotation', severity: 'warning' }));
  });
});

describe('the rules for keys, and for chains in files', () => {
  const fine: KeyEvidence = { keyFile: 'a.key', keyMode: 0o600, keyReaders: 'owner', keyMatches: true };

  it('report nothing if nothing is wrong', () => {
    expect(fired(keyRules, fine)).toEqual([]);
    expect(fired(verificationRules, { verdict: { ok: true } })).toEqual([]);
  });

  it.each([
    ['key-match', { keyMatches: false }, 'error', 'is the key of another certificate'],
    ['key-match', { keyMatches: 'none' } as const, 'error', 'belongs to no certificate given'],
    ['key-permissions', { keyMode: 0o640, keyReaders: 'group' } as const, 'warning', '0640'],
    ['key-permissions', { keyMode: 0o644, keyReaders: 'everyone' } as const, 'error', '0644'],
  ])('%s fires on %j', (id, more, severity, words) => {
    const evidence = expect.stringContaining(words) as string;
    expect(fired(keyRules, { ...fine, ...more })).toEqual([{ id, severity, evidence }]);
  });

  it('verification fires on a chain that clients refuse', () => {
    const found = fired(verificationRules, { verdict: { ok: false, words: 'expired: x' } });
    expect(found).toEqual([{ id: 'verification', severity: 'error', evidence: 'expired: x' }]);
  });
});

describe('the rules for revocation lists', () => {
  it.each([
    ['lately made', 0, []],
    ['with a quarter of its week left', 5.3, ['warning']],
    ['overdue', 7.1, ['error']],
    ['of tomorrow', -1, ['error']],
  ])('report one that is %s', async (_, days, severities) => {
    const authority = await createAuthority({ commonName: 'CA' });
    const crls = parseCrls((await authority.crl({ days: 7 })).pem);
    const found = fired(listRules, { crls, at: new Date(Date.now() + days * DAY) });
    expect(found.map(({ severity }) => severity)).toEqual(severities);
  });
});

/** RSA of 1,024 bits, signed with SHA-1, CN alone. */
const WEAK = `
-----BEGIN CERTIFICATE-----
MIICATCCAWqgAwIBAgIUA40MGwtWC2czkwrY+QR2XVisJJ0wDQYJKoZIhvcNAQEF
BQAwFDESMBAGA1UEAwwJd2Vhay50ZXN0MB4XDTI2MTEyNTEwMzY0NFoXDTM2MTEy
MjEwMzY0NFowFDESMBAGA1UEAwwJd2Vhay50ZXN0MIGfMA0GCSqGSIb3DQEBAQUA
A4GNADCBiQKBgQDAM2LoesrswvMsjQUfwBAV6RkQLRbeSE2iEJAjrsEWFNsxTJgq
K9YZ6UMGxT6bfG2B96f7WMTrBt++ewl5S6oPKLq2oDdlG90TuyWMs2BgT73KJdWf
/UXQj+5MfK6YsKiuvDY/coIRd+AD3Apno8ASKHNI404cJl8zRUewDJudrwIDAQAB
o1AwTjAdBgNVHQ4EFgQU6AgdcerMioHokZFrNhfbYNfGw5cwHwYDVR0jBBgwFoAU
6AgdcerMioHokZFrNhfbYNfGw5cwDAYDVR0TAQH/BAIwADANBgkqhkiG9w0BAQUF
AAOBgQAm4Y0KmPDlIi+YdCJLl1tt5dcoL/p3Ur3qFZniPXP+qNHWrfMtzROQyIiS
krgSyvFQjFvjBWFNuJZWQ1PDdTNRSxzfcHEL9R4vr6MeXGVfPbSUQbZmTXPRhx6y
JzR3y5bw33CbTKSwhqh1Q06dbjFZk85y7SUR7gMhJTLhdUZNiw==
-----END CERTIFICATE-----
`;
