import { describe, expect, it } from 'vitest';
import {
  checkRevocation,
  checkPathRevocation,
  revocationPolicy,
  type RevocationOptions,
} from '@knsock/core/x509';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extension,
  generalName,
  integer,
  issue,
  issueCa,
  issueClient,
  issueServer,
  issuingPoint,
  keyUsage,
  makeCrl,
  name,
  now,
  sequence,
  tlv,
  type CrlWish,
  type Made,
} from './issue.js';

const root = issueCa({ subject: 'CN=Root' });
const serial = 0x1234;
const revoked = [{ serial, reason: 1 }];

/** DistributionPointName: full names, or one relative to the issuer. */
const at = (...names: readonly string[]) => tlv(0xa0, tlv(0xa0, ...names.map(generalName)));
const below = (commonName: string) => {
  const [, ...relativeName] = name(`CN=${commonName}`);
  // Of the Name, a SEQUENCE of one SET, the SET's content.
  const set = Buffer.from(relativeName.slice(1));
  return tlv(0xa0, tlv(0xa1, set.subarray(2)));
};
const crlIssuer = (...names: readonly string[]) => tlv(0xa2, ...names.map(generalName));
const reasons = (tag: number, ...bits: readonly number[]) => {
  const mask = bits.reduce((value, bit) => value | (0x8000 >> bit), 0);
  const bytes = Buffer.of(mask >> 8, mask & 0xff);
  const used = Math.max(...bits) + 1;
  const content = used > 8 ? bytes : bytes.subarray(0, 1);
  return tlv(tag, Buffer.of(content.length * 8 - used), content);
};
const flag = (number: number) => tlv(0x80 | number, Buffer.of(0xff));
const points = (...each: readonly (readonly Buffer[])[]) =>
  extension('2.5.29.31', sequence(...each.map((parts) => sequence(...parts))));

const withPoints = (...each: readonly (readonly Buffer[])[]) =>
  issueServer({ issuer: root, serial, extensions: each.length === 0 ? [] : [points(...each)] });
const list = (parts: readonly Buffer[], wish: Partial<CrlWish> = {}) =>
  makeCrl({ issuer: root, extensions: parts.length === 0 ? [] : [issuingPoint(...parts)], ...wish });
const finding = (
  leaf: Made,
  crls: readonly ReturnType<typeof makeCrl>[],
  options: Partial<RevocationOptions> = {},
) => checkRevocation(leaf.certificate, root.certificate, crls, { at: now.getTime(), ...options });
const status = (...args: Parameters<typeof finding>) => finding(...args).status;

describe('a list with a place of its own', () => {
  it('covers the certificates that name the place, in whichever of the two forms', () => {
    for (const place of [at('URI:http://a.test/1.crl'), at('dir:CN=Part 1'), below('Part 1')]) {
      expect(status(withPoints([place]), [list([place])])).toBe('good');
      expect(status(withPoints([place]), [list([place], { revoked })])).toBe('revoked');
    }
    const whole = at('dir:CN=Part 1');
    expect(
      status(withPoints([at('DNS:x.test', 'URI:http://a.test/1.crl')]), [
        list([at('URI:http://a.test/1.crl')]),
      ]),
    ).toBe('good');
    expect(status(withPoints([whole], [at('dir:CN=Part 2')]), [list([at('dir:CN=Part 2')])])).toBe('good');
  });

  it('covers no other certificate, and says which part it is for', () => {
    for (const place of [at('URI:http://a.test/1.crl'), at('dir:CN=Part 1'), below('Part 1')]) {
      for (const leaf of [
        withPoints(),
        withPoints([below('Part 2')]),
        withPoints([at('URI:http://a.test/2.crl')]),
      ]) {
        expect(finding(leaf, [list([place])])).toMatchObject({
          status: 'uncovered',
          problem: expect.stringContaining('for another part of its certificates only') as string,
        });
      }
    }
  });

  it("completes a relative name by the issuer's", () => {
    const full = tlv(
      0xa0,
      tlv(0xa0, tlv(0xa4, sequence(name('CN=Root').subarray(2), name('CN=Part 1').subarray(2)))),
    );
    expect(status(withPoints([full]), [list([below('Part 1')])])).toBe('good');
    expect(status(withPoints([below('Part 1')]), [list([full])])).toBe('good');
    expect(status(withPoints([at('dir:CN=Part 1')]), [list([below('Part 1')])])).toBe('uncovered');
  });

  it('covers every certificate where the place is the issuer itself', () => {
    expect(status(withPoints(), [list([at('dir:CN=Root')])])).toBe('good');
  });
});

describe('lists for some reasons', () => {
  const some = (...bits: readonly number[]) => list([reasons(0x83, ...bits)]);

  it('prove a certificate good together, and not before', () => {
    const leaf = withPoints();
    expect(finding(leaf, [some(1, 2)])).toMatchObject({
      status: 'unusable',
      problem:
        'covers some reasons for revocation only; not covered: affiliationChanged, superseded, cessationOfOperation, certificateHold, privilegeWithdrawn, aACompromise',
    });
    expect(status(leaf, [some(1, 2), some(3, 4, 5, 6)])).toBe('unusable');
    expect(status(leaf, [some(1, 2), some(3, 4, 5, 6, 7, 8)])).toBe('good');
    expect(status(leaf, [some(1, 2, 3, 4, 5, 6, 7, 8)])).toBe('good');
  });

  it('revoke each by itself', () => {
    expect(status(withPoints(), [list([reasons(0x83, 1)], { revoked })])).toBe('revoked');
  });

  it("count for no more than the certificate's own point says", () => {
    const leaf = withPoints([at('URI:http://a.test/1.crl'), reasons(0x81, 1)]);
    expect(status(leaf, [list([at('URI:http://a.test/1.crl')])])).toBe('unusable');
    expect(finding(leaf, [list([at('URI:http://a.test/1.crl'), reasons(0x83, 2)])])).toMatchObject({
      status: 'uncovered',
    });
  });
});

describe('a list that another key has signed', () => {
  const renewed = issueCa({ subject: 'CN=Root' });
  /** The CA's new key, certified by its old one. */
  const newWithOld = issue({
    subject: 'CN=Root',
    issuer: root,
    keyOf: renewed,
    extensions: [basicConstraints(true), keyUsage(5, 6)],
  });
  const leaf = withPoints();
  const trusting = (...issuers: readonly Made[]) => ({
    anchor: root.certificate,
    issuers: issuers.map(({ certificate }) => certificate),
  });
  const byRenewed = (wish: Partial<CrlWish> = {}) =>
    makeCrl({ issuer: renewed, extensions: [authorityKeyIdentifier(Buffer.alloc(20, 2))], ...wish });

  it('counts where that key has a path to the same anchor', () => {
    expect(status(leaf, [byRenewed()], trusting(newWithOld))).toBe('good');
    expect(status(leaf, [byRenewed({ revoked })], trusting(newWithOld))).toBe('revoked');
  });

  it("doesn't count where it has none, whatever the certificate says", () => {
    expect(status(leaf, [byRenewed()])).toBe('unusable');
    expect(status(leaf, [byRenewed()], trusting(renewed))).toBe('unusable');
    expect(finding(leaf, [byRenewed()], trusting(renewed))).toMatchObject({
      problem: expect.stringContaining('has no path to CN=Root') as string,
    });
  });

  it("doesn't count where the key may not sign lists, has expired, or was revoked itself", () => {
    const of = (wish: Partial<Parameters<typeof issue>[0]>, crls = [byRenewed()]) =>
      finding(
        leaf,
        crls,
        trusting(
          issue({
            subject: 'CN=Root',
            issuer: root,
            keyOf: renewed,
            serial: 0x77,
            extensions: [basicConstraints(true), keyUsage(5, 6)],
            ...wish,
          }),
        ),
      );
    expect(of({}).status).toBe('good');
    expect(of({ extensions: [basicConstraints(true), keyUsage(5)] })).toMatchObject({
      problem: expect.stringContaining("doesn't allow signing CRLs") as string,
    });
    expect(of({ notAfter: '2025-12-31T00:00:00Z' })).toMatchObject({
      status: 'unusable',
      problem: expect.stringContaining('expired') as string,
    });
    const onlyAuthorities = list([flag(2)], { revoked: [{ serial: 0x77 }] });
    expect(of({}, [byRenewed(), onlyAuthorities])).toMatchObject({
      status: 'unusable',
      problem: expect.stringContaining('is revoked') as string,
    });
  });

  it("may revoke beside a list of the issuer's own key, but doesn't stand in for it", () => {
    const stale = makeCrl({ issuer: root, nextUpdate: '2025-12-15T00:00:00Z' });
    expect(status(leaf, [stale, byRenewed()], trusting(newWithOld))).toBe('stale');
    expect(status(leaf, [makeCrl({ issuer: root }), byRenewed({ revoked })], trusting(newWithOld))).toBe(
      'revoked',
    );
  });
});

describe('an indirect list', () => {
  const lister = issue({ subject: 'CN=Lists', issuer: root, extensions: [keyUsage(6)] });
  const leaf = withPoints([at('URI:http://a.test/i.crl'), crlIssuer('dir:CN=Lists')]);
  const trusting = { anchor: root.certificate, issuers: [lister.certificate] };
  const certificateIssuer = (text: string) =>
    extension('2.5.29.29', sequence(generalName(`dir:${text}`)), true);
  const indirect = (wish: Partial<CrlWish> = {}) =>
    makeCrl({ issuer: lister, extensions: [issuingPoint(at('URI:http://a.test/i.crl'), flag(4))], ...wish });

  it('counts where the certificate names its issuer, and that one has a path to the same anchor', () => {
    expect(status(leaf, [indirect()], trusting)).toBe('good');
    expect(status(leaf, [indirect()])).toBe('uncovered');
    expect(status(withPoints(), [indirect()], trusting)).toBe('uncovered');
    const stranger = issue({ subject: 'CN=Lists', extensions: [keyUsage(6)] });
    expect(
      status(leaf, [indirect({ issuer: stranger })], { ...trusting, issuers: [stranger.certificate] }),
    ).toBe('unusable');
  });

  it('must say that it is one', () => {
    const direct = makeCrl({ issuer: lister, extensions: [issuingPoint(at('URI:http://a.test/i.crl'))] });
    expect(finding(leaf, [direct], trusting)).toMatchObject({
      status: 'uncovered',
      problem: expect.stringContaining("isn't an indirect list") as string,
    });
  });

  it('speaks of the issuer that an entry names, and goes on with it in the entries after it', () => {
    const entries = [
      { serial: 1, extensions: [certificateIssuer('CN=Root')] },
      { serial, reason: 1 },
    ];
    expect(status(leaf, [indirect({ revoked: entries })], trusting)).toBe('revoked');
    const others = [{ serial: 1, extensions: [certificateIssuer('CN=Other')] }, { serial }];
    expect(status(leaf, [indirect({ revoked: others })], trusting)).toBe('good');
    // Without a name an entry is of the list's own issuer.
    expect(status(leaf, [indirect({ revoked: [{ serial }] })], trusting)).toBe('good');
  });

  it('is the only one whose entries may name issuers', () => {
    const entries = [{ serial: 1, extensions: [certificateIssuer('CN=Other')] }];
    expect(finding(withPoints(), [makeCrl({ issuer: root, revoked: entries })])).toMatchObject({
      status: 'unusable',
      problem: 'names other issuers in its entries without being an indirect list',
    });
  });
});

describe('a delta list', () => {
  const delta = (base: number, wish: Partial<CrlWish> = {}) =>
    makeCrl({ issuer: root, number: 9, extensions: [extension('2.5.29.27', integer(base), true)], ...wish });
  const base = (wish: Partial<CrlWish> = {}) => makeCrl({ issuer: root, number: 5, ...wish });
  const hold = [{ serial, reason: 6 }];
  const lifted = [{ serial, reason: 8 }];
  const leaf = withPoints();

  it('adds to the complete list that it belongs to, and lifts holds', () => {
    expect(status(leaf, [base(), delta(5)])).toBe('good');
    expect(status(leaf, [base(), delta(5, { revoked })])).toBe('revoked');
    expect(status(leaf, [base({ revoked: hold })])).toBe('revoked');
    expect(status(leaf, [base({ revoked: hold }), delta(5, { revoked: lifted })])).toBe('good');
    expect(status(leaf, [base({ revoked: hold }), delta(3, { revoked: lifted })])).toBe('good');
  });

  it("lifts nothing that was revoked for good, and nothing of lists that it doesn't belong to", () => {
    expect(status(leaf, [base({ revoked }), delta(5, { revoked: lifted })])).toBe('revoked');
    expect(status(leaf, [base({ revoked: hold }), delta(6, { revoked: lifted })])).toBe('revoked');
    expect(status(leaf, [base({ revoked: hold, number: 9 }), delta(5, { revoked: lifted })])).toBe('revoked');
    expect(status(leaf, [list([flag(1)], { revoked: hold, number: 5 }), delta(5, { revoked: lifted })])).toBe(
      'revoked',
    );
  });

  it('brings an older list up to date', () => {
    const old = base({ nextUpdate: '2025-12-15T00:00:00Z' });
    expect(status(leaf, [old])).toBe('stale');
    expect(status(leaf, [old, delta(5)])).toBe('good');
    expect(status(leaf, [old, delta(5, { nextUpdate: '2025-12-20T00:00:00Z' })])).toBe('stale');
  });

  it('alone proves nothing but revocations', () => {
    expect(finding(leaf, [delta(5)])).toMatchObject({
      status: 'unusable',
      problem: expect.stringContaining('delta list') as string,
    });
    expect(status(leaf, [delta(5, { revoked })])).toBe('revoked');
  });
});

describe('an entry with a reason that nobody knows', () => {
  it('revokes all the same', () => {
    const entry = { serial, extensions: [extension('2.5.29.21', tlv(0x0a, Buffer.of(42)))] };
    expect(finding(withPoints(), [makeCrl({ issuer: root, revoked: [entry] })])).toMatchObject({
      status: 'revoked',
      entry: { reason: undefined },
    });
  });
});

describe('a path', () => {
  const middle = issueCa({ subject: 'CN=Middle', issuer: root, serial: 0x77 });
  const leaf = issueClient({ subject: 'CN=client', issuer: middle, serial });
  const path = [leaf, middle, root].map(({ certificate }) => certificate);
  const ofMiddle = makeCrl({ issuer: middle, nextUpdate: '2026-01-20T00:00:00Z' });
  const judge = (
    crls: Parameters<typeof checkRevocation>[2],
    policy: Parameters<typeof revocationPolicy>[0] = {},
  ) => {
    const found = checkPathRevocation({
      path,
      crls,
      issuers: [],
      at: now.getTime(),
      policy: revocationPolicy(policy),
    });
    return found.status === 'good' ? 'good' : `${found.finding.status} at ${found.depth}`;
  };

  it('is refused where a given list revokes any of it, under every policy', () => {
    const revoking = makeCrl({
      issuer: root,
      revoked: [{ serial: 0x77 }],
      nextUpdate: '2025-12-15T00:00:00Z',
    });
    for (const policy of [
      {},
      { depth: 'chain' },
      { unknown: 'accept', stale: 'accept' },
      { depth: 'chain', unknown: 'accept', stale: 'accept' },
    ] as const) {
      expect(judge([ofMiddle, revoking], policy)).toBe('revoked at 1');
      expect(judge([revoking], policy)).toBe('revoked at 1');
    }
  });

  it('needs a list for the leaf alone, or for all but the anchor', () => {
    expect(judge([ofMiddle])).toBe('good');
    expect(judge([ofMiddle], { depth: 'chain' })).toBe('uncovered at 1');
    expect(judge([ofMiddle, makeCrl({ issuer: root })], { depth: 'chain' })).toBe('good');
    expect(judge([makeCrl({ issuer: root })])).toBe('uncovered at 0');
    expect(judge([makeCrl({ issuer: root })], { unknown: 'accept' })).toBe('good');
  });

  it('is refused by a stale list wherever it is, unless stale ones are accepted', () => {
    const stale = makeCrl({ issuer: root, nextUpdate: '2025-12-15T00:00:00Z' });
    expect(judge([ofMiddle, stale])).toBe('stale at 1');
    expect(judge([ofMiddle, stale], { stale: 'accept' })).toBe('good');
  });

  it('holds until the first of its lists is due', () => {
    const given = { path, issuers: [], at: now.getTime(), policy: revocationPolicy() };
    expect(checkPathRevocation({ ...given, crls: [makeCrl({ issuer: root }), ofMiddle] })).toEqual({
      status: 'good',
      until: new Date('2026-01-20T00:00:00Z'),
    });
  });

  it('that is one certificate is looked up by its own list alone', () => {
    const alone = { path: path.slice(2), issuers: [], at: now.getTime(), policy: revocationPolicy() };
    const crl = makeCrl({ issuer: root });
    expect(checkPathRevocation({ ...alone, crls: [crl] })).toMatchObject({ status: 'refused', depth: 0 });
  });
});
