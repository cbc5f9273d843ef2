import { describe, expect, it } from 'vitest';
import {
  validatePath,
  parseCertificate,
  toPem,
  verifyPath,
  verifyPathSync,
  type VerifyOptions,
} from '@knsock/core/x509';
import { InvalidOptionError } from '@knsock/core/errors';
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  extension,
  generalName,
  integer,
  issue,
  issueCa,
  issueClient,
  issueServer,
  keyUsage,
  now,
  sequence,
  subjectAltName,
  subjectKeyIdentifier,
  tlv,
  type Made,
} from './issue.js';

const root = issueCa({ subject: 'O=Acme/CN=Root' });
const middle = issueCa({ subject: 'O=Acme/CN=Middle', issuer: root });
const server = issueServer({ issuer: middle });

/** A verdict in a word: `ok`, or reason and depth. */
function verdict(options: Partial<VerifyOptions> & { leaf: VerifyOptions['leaf'] }): string {
  const result = verifyPathSync({
    intermediates: [],
    anchors: [root.der],
    at: now,
    usage: 'server',
    ...options,
  });
  return result.ok ? 'ok' : `${result.reason} at ${result.position}`;
}

function sentence(options: Partial<VerifyOptions> & { leaf: VerifyOptions['leaf'] }): string {
  const result = verifyPathSync({
    intermediates: [],
    anchors: [root.der],
    at: now,
    usage: 'server',
    ...options,
  });
  return result.ok ? 'ok' : result.message;
}

describe('verifying a path', () => {
  it('finds the path from the leaf over intermediates in any order', () => {
    const third = issueCa({ subject: 'CN=Third', issuer: middle });
    const leaf = issueServer({ issuer: third });
    const result = verifyPathSync({
      leaf: leaf.der,
      intermediates: [server.der, third.der, root.der, middle.der],
      anchors: [root.der],
      at: now,
      name: 'a.test',
      usage: 'server',
    });
    expect(result).toMatchObject({ ok: true });
    expect(result.ok && result.path.map(({ subject }) => subject.commonNames[0])).toEqual([
      'server',
      'Third',
      'Middle',
      'Root',
    ]);
  });

  it('answers alike as a promise', async () => {
    const options = {
      leaf: server.der,
      intermediates: [],
      anchors: [root.der],
      at: now,
      name: 'a.test',
      usage: 'server',
    } as const;
    const { ok, ...rest } = await verifyPath(options);
    expect({ ok, ...rest }).toEqual(verifyPathSync(options));
    expect(ok).toBe(false);
  });

  it('takes PEM, DER, bundles and certificates read before', () => {
    const bundle = toPem('CERTIFICATE', server.der) + toPem('CERTIFICATE', middle.der);
    expect(verdict({ leaf: bundle })).toBe('ok');
    expect(
      verdict({
        leaf: server.certificate,
        intermediates: [toPem('CERTIFICATE', middle.der)],
        anchors: [root.certificate],
      }),
    ).toBe('ok');
    const ofAnotherCopy = { der: server.der } as unknown as Made['certificate'];
    expect(verdict({ leaf: ofAnotherCopy, intermediates: [middle.der] })).toBe('ok');
  });

  it('names what is missing where an intermediate is', () => {
    expect(verdict({ leaf: server.der })).toBe('unknown-issuer at 1');
    expect(sentence({ leaf: server.der })).toContain(
      'issued by O=Acme, CN=Middle, of which no fitting certificate is trusted or was sent along',
    );
  });

  it('tells a CA of the same name from the CA', () => {
    const impostor = issueCa({ subject: 'O=Acme/CN=Root' });
    const leaf = issueServer({ issuer: impostor });
    expect(verdict({ leaf: leaf.der })).toBe('unknown-issuer at 1');
    expect(sentence({ leaf: leaf.der })).toContain("isn't signed by the key of O=Acme, CN=Root");
    expect(verdict({ leaf: leaf.der, anchors: [root.der, impostor.der] })).toBe('ok');
  });

  it('refuses a leaf that was changed by a single bit of its signature or body', () => {
    for (const at of [server.der.length - 1, server.der.indexOf('a.test')]) {
      const changed = Buffer.from(server.der);
      changed[at] = (changed[at] as number) ^ 1;
      expect(verdict({ leaf: changed, intermediates: [middle.der] })).toBe('unknown-issuer at 1');
    }
  });

  it('judges the dates of every certificate, both ends included', () => {
    const short = issueServer({
      issuer: root,
      notBefore: '2026-01-01T00:00:00Z',
      notAfter: '2026-01-02T00:00:00Z',
    });
    expect(verdict({ leaf: short.der, at: new Date('2026-01-01T00:00:00.000Z') })).toBe('ok');
    expect(verdict({ leaf: short.der, at: Date.parse('2026-01-02T00:00:00.999Z') })).toBe('ok');
    expect(verdict({ leaf: short.der, at: new Date('2026-01-02T00:00:01Z') })).toBe('expired at 1');
    expect(verdict({ leaf: short.der, at: new Date('2025-12-31T23:59:59.999Z') })).toBe('not-yet-valid at 1');
    expect(sentence({ leaf: short.der, at: new Date('2026-03-01T00:00:00Z') })).toContain(
      'expired at 2026-01-02T00:00:00Z; now is 2026-03-01T00:00:00Z',
    );
    const old = issueCa({ subject: 'CN=Old', issuer: root, notAfter: '2025-06-01T00:00:00Z' });
    expect(verdict({ leaf: issueServer({ issuer: old }).der, intermediates: [old.der] })).toBe(
      'expired at 2',
    );
  });

  it('uses the current one of two certificates of a CA', () => {
    const expired = issueCa({ subject: 'CN=Renewed', issuer: root, notAfter: '2025-06-01T00:00:00Z' });
    const renewed = issueCa({ subject: 'CN=Renewed', issuer: root, keyOf: expired });
    const leaf = issueServer({ issuer: expired });
    expect(verdict({ leaf: leaf.der, intermediates: [expired.der, renewed.der] })).toBe('ok');
  });

  it('goes past an anchor that fails to another one above it', () => {
    const crossSigned = issueCa({ subject: 'CN=New Root', issuer: root });
    const expiredSelf = issueCa({
      subject: 'CN=New Root',
      keyOf: crossSigned,
      notAfter: '2025-06-01T00:00:00Z',
    });
    const leaf = issueServer({ issuer: crossSigned });
    expect(
      verdict({ leaf: leaf.der, intermediates: [crossSigned.der], anchors: [expiredSelf.der, root.der] }),
    ).toBe('ok');
    expect(verdict({ leaf: leaf.der, intermediates: [], anchors: [expiredSelf.der, root.der] })).toBe(
      'expired at 2',
    );
  });

  it('takes the issuer that the key identifier names, and no other of its name', () => {
    const [right, wrong] = [Buffer.alloc(20, 1), Buffer.alloc(20, 2)];
    const ca = issueCa({ subject: 'CN=Twin', issuer: root, extensions: [subjectKeyIdentifier(right)] });
    const twin = issueCa({
      subject: 'CN=Twin',
      issuer: root,
      extensions: [subjectKeyIdentifier(wrong)],
      serial: 9,
    });
    const leaf = issueServer({ issuer: ca, extensions: [authorityKeyIdentifier(wrong)] });
    expect(verdict({ leaf: leaf.der, intermediates: [ca.der, twin.der] })).toBe('unknown-issuer at 1');
    const proper = issueServer({ issuer: ca, extensions: [authorityKeyIdentifier(right)] });
    expect(verdict({ leaf: proper.der, intermediates: [twin.der, ca.der] })).toBe('ok');
    expect(verdict({ leaf: proper.der, intermediates: [ca.der, twin.der] })).toBe('ok');
  });

  it('tells an issuer that the identifier contradicts from one that is missing', () => {
    const named = (...parts: readonly Buffer[]) => extension('2.5.29.35', sequence(...parts));
    const ofRoot = (identifier: Buffer) => {
      const leaf = issueServer({ issuer: root, extensions: [identifier] });
      const result = verifyPathSync({ leaf: leaf.der, anchors: [root.der], at: now, usage: 'server' });
      return result.ok ? 'ok' : `${result.reason}: ${result.message}`;
    };
    const issuer = (text: string) => tlv(0xa1, generalName(`dir:${text}`));
    const serial = (der: Buffer) => Buffer.concat([Buffer.of(0x82), der.subarray(1)]);
    const own = integer(BigInt(`0x${root.certificate.serial}`));
    expect(ofRoot(named(issuer(root.subject), serial(own)))).toBe('ok');
    expect(ofRoot(named(issuer('CN=Other'), serial(own)))).toMatch(/^unknown-issuer: .*CN=Other has issued/);
    expect(ofRoot(named(issuer(root.subject), serial(integer(7))))).toMatch(
      /^unknown-issuer: .*serial number 07.*authority key identifier/,
    );
  });
});

describe('CA flags', () => {
  const underIssuer = (ca: Made): string =>
    verdict({ leaf: issueServer({ issuer: ca }).der, intermediates: [ca.der] });

  it('keep a leaf from issuing certificates', () => {
    expect(underIssuer(issueServer({ issuer: root, subject: 'CN=leaf' }))).toBe('wrong-usage at 2');
    expect(underIssuer(issue({ subject: 'CN=none', issuer: root }))).toBe('wrong-usage at 2');
    expect(
      underIssuer(issue({ subject: 'CN=false', issuer: root, extensions: [basicConstraints(false)] })),
    ).toBe('wrong-usage at 2');
  });

  it('keep a CA without keyCertSign from issuing certificates', () => {
    expect(
      underIssuer(
        issue({ subject: 'CN=x', issuer: root, extensions: [basicConstraints(true), keyUsage(0)] }),
      ),
    ).toBe('wrong-usage at 2');
    expect(underIssuer(issue({ subject: 'CN=x', issuer: root, extensions: [basicConstraints(true)] }))).toBe(
      'ok',
    );
  });

  it('keep version 1 from issuing, even as an anchor, and say what to do', () => {
    const old = issue({ subject: 'CN=Old', version: 1 });
    const leaf = issueServer({ issuer: old });
    expect(verdict({ leaf: leaf.der, anchors: [old.der] })).toBe('wrong-usage at 2');
    expect(sentence({ leaf: leaf.der, anchors: [old.der] })).toContain('reissue it as version 3');
  });

  it('hold for a self-signed anchor that is no CA', () => {
    const pinned = issueServer({ subject: 'CN=pinned' });
    const leaf = issueServer({ issuer: pinned, subject: 'CN=forged' });
    expect(verdict({ leaf: leaf.der, anchors: [pinned.der] })).toBe('wrong-usage at 2');
    expect(verdict({ leaf: leaf.der, anchors: [pinned.der], partialChain: true })).toBe('wrong-usage at 2');
  });
});

describe('path length', () => {
  const chain = (...lengths: (number | undefined)[]): { leaf: Made; cas: Made[] } => {
    const cas: Made[] = [];
    lengths.forEach((pathLength, at) => {
      const issuer = cas.at(-1);
      cas.push(
        issueCa({
          subject: `CN=CA ${at}`,
          ...(issuer && { issuer }),
          ...(pathLength !== undefined && { pathLength }),
        }),
      );
    });
    return { leaf: issueServer({ issuer: cas.at(-1) as Made }), cas };
  };
  const judged = ({ leaf, cas }: ReturnType<typeof chain>, maxDepth?: number): string =>
    verdict({
      leaf: leaf.der,
      intermediates: cas.slice(1).map(({ der }) => der),
      anchors: [(cas[0] as Made).der],
      maxDepth,
    });

  it('counts the CAs below the one that sets it, the anchor included', () => {
    expect(judged(chain(0))).toBe('ok');
    expect(judged(chain(0, undefined))).toBe('path-length at 2');
    expect(judged(chain(1, undefined))).toBe('ok');
    expect(judged(chain(1, undefined, undefined))).toBe('path-length at 2');
    expect(judged(chain(undefined, 0, undefined))).toBe('path-length at 2');
    expect(judged(chain(5, 0, 7))).toBe('path-length at 2');
  });

  it("can't be widened further down", () => {
    expect(judged(chain(1, 9, 9))).toBe('path-length at 2');
  });

  it("passes over a CA's change of key", () => {
    const old = issueCa({ subject: 'CN=Same', issuer: root, pathLength: 0 });
    const next = issueCa({ subject: 'CN=Same', issuer: old });
    expect(verdict({ leaf: issueServer({ issuer: next }).der, intermediates: [old.der, next.der] })).toBe(
      'ok',
    );
  });

  it("has a bound of the caller's, too", () => {
    const long = chain(undefined, undefined, undefined);
    expect(judged(long, 2)).toBe('ok');
    expect(judged(long, 1)).toBe('path-length at 1');
    expect(judged(chain(...Array<undefined>(12).fill(undefined)))).toBe('path-length at 1');
  });
});

describe('usage', () => {
  it("is the leaf's: a client's certificate makes no server, nor the other way round", () => {
    const client = issueClient({
      subject: 'CN=ann',
      issuer: root,
      extensions: [subjectAltName('DNS:a.test')],
    });
    expect(verdict({ leaf: client.der, usage: 'client' })).toBe('ok');
    expect(verdict({ leaf: client.der, usage: 'server' })).toBe('wrong-usage at 1');
    expect(sentence({ leaf: client.der, usage: 'server' })).toContain(
      "isn't for TLS servers (extended key usage: TLS client)",
    );
    expect(verdict({ leaf: server.der, intermediates: [middle.der], usage: 'client' })).toBe(
      'wrong-usage at 1',
    );
  });

  it('is also that of the CAs, where they limit it', () => {
    const forClients = issueCa({
      subject: 'CN=Clients',
      issuer: root,
      extensions: [extendedKeyUsage('client')],
    });
    const forAll = issueCa({ subject: 'CN=All', issuer: root, extensions: [extendedKeyUsage('any')] });
    expect(verdict({ leaf: issueServer({ issuer: forClients }).der, intermediates: [forClients.der] })).toBe(
      'wrong-usage at 2',
    );
    expect(verdict({ leaf: issueServer({ issuer: forAll }).der, intermediates: [forAll.der] })).toBe('ok');
  });

  it("isn't given by anyExtendedKeyUsage on a leaf alone", () => {
    const any = issue({
      subject: 'CN=x',
      issuer: root,
      extensions: [extendedKeyUsage('any'), subjectAltName('DNS:a.test')],
    });
    expect(verdict({ leaf: any.der })).toBe('wrong-usage at 1');
  });

  it('needs the right to sign where a key usage is given', () => {
    const enciphering = issue({
      subject: 'CN=x',
      issuer: root,
      extensions: [keyUsage(2), subjectAltName('DNS:a.test')],
    });
    expect(verdict({ leaf: enciphering.der })).toBe('wrong-usage at 1');
    expect(sentence({ leaf: enciphering.der })).toContain('TLS needs digitalSignature');
  });
});

describe('names', () => {
  it('must match, and the sentence says which there are', () => {
    expect(verdict({ leaf: server.der, intermediates: [middle.der], name: 'b.test' })).toBe(
      'wrong-name at 1',
    );
    expect(sentence({ leaf: server.der, intermediates: [middle.der], name: 'b.test' })).toContain(
      "isn't for b.test; it is for DNS:a.test",
    );
    expect(verdict({ leaf: server.der, intermediates: [middle.der], name: '' })).toBe('wrong-name at 1');
  });

  it('must be alternative names; without any the sentence says how to reissue', () => {
    const bare = issue({ subject: 'CN=a.test', issuer: root });
    expect(verdict({ leaf: bare.der, name: 'a.test' })).toBe('wrong-name at 1');
    expect(sentence({ leaf: bare.der, name: 'a.test' })).toContain(
      'reissue it with one (openssl: -addext "subjectAltName=DNS:a.test")',
    );
    expect(sentence({ leaf: bare.der, name: '192.0.2.1' })).toContain('subjectAltName=IP:192.0.2.1');
  });
});

describe('self-signed certificates and partial chains', () => {
  const own = issueServer({ subject: 'CN=own' });

  it('are refused unless trusted', () => {
    expect(verdict({ leaf: own.der })).toBe('self-signed at 1');
    expect(verdict({ leaf: own.der, intermediates: [own.der] })).toBe('self-signed at 1');
  });

  it('are trusted when they are an anchor, still for their names, usage and dates only', () => {
    expect(verdict({ leaf: own.der, anchors: [own.der], name: 'a.test' })).toBe('ok');
    expect(verdict({ leaf: own.der, anchors: [own.der], name: 'b.test' })).toBe('wrong-name at 1');
    expect(verdict({ leaf: own.der, anchors: [own.der], usage: 'client' })).toBe('wrong-usage at 1');
    expect(verdict({ leaf: own.der, anchors: [own.der], at: new Date('2030-01-01T00:00:00Z') })).toBe(
      'expired at 1',
    );
  });

  it('are distinguished from one of the same name', () => {
    expect(verdict({ leaf: issueServer({ subject: 'CN=own' }).der, anchors: [own.der] })).not.toBe('ok');
  });

  it('may be the usual output of openssl req -x509: a CA by its flags', () => {
    const bare = issue({
      subject: 'CN=localhost',
      extensions: [basicConstraints(true), subjectAltName('DNS:localhost')],
    });
    expect(verdict({ leaf: bare.der, anchors: [bare.der], name: 'localhost' })).toBe('ok');
  });

  it('end at an intermediate or the leaf by choice only', () => {
    const atMiddle = { leaf: server.der, anchors: [middle.der] };
    expect(verdict(atMiddle)).toBe('unknown-issuer at 2');
    expect(sentence(atMiddle)).toContain('with the option partialChain');
    expect(verdict({ ...atMiddle, partialChain: true })).toBe('ok');
    expect(verdict({ leaf: server.der, anchors: [server.der] })).toBe('unknown-issuer at 1');
    expect(verdict({ leaf: server.der, anchors: [server.der], partialChain: true })).toBe('ok');
  });
});

describe('version 1', () => {
  const client = issue({ subject: 'CN=ann', issuer: root, version: 1 });

  it('will do for a client, not for a server, which needs names', () => {
    expect(verdict({ leaf: client.der, usage: 'client' })).toBe('ok');
    expect(verdict({ leaf: client.der, usage: 'server', name: 'ann' })).toBe('wrong-name at 1');
    expect(verdict({ leaf: client.der, usage: 'client', rules: 'web' })).toBe('malformed at 1');
  });

  it('has no extensions', () => {
    expect(
      verdict({ leaf: toPem('CERTIFICATE', Buffer.from(client.der.subarray(0, -1))), usage: 'client' }),
    ).toBe('malformed at 1');
    expect(() => issue({ subject: 'CN=x', version: 1, extensions: [basicConstraints(true)] })).toThrow(
      'bytes too many',
    );
  });
});

describe("what isn't understood", () => {
  it('is refused where it is critical, in the leaf and above it', () => {
    const unknown = extension('1.3.6.1.4.1.55555.1', Buffer.of(5, 0), true);
    expect(verdict({ leaf: issueServer({ issuer: root, extensions: [unknown] }).der })).toBe(
      'malformed at 1',
    );
    const ca = issueCa({ subject: 'CN=Odd', issuer: root, extensions: [unknown] });
    expect(verdict({ leaf: issueServer({ issuer: ca }).der, intermediates: [ca.der] })).toBe(
      'malformed at 2',
    );
    const harmless = extension('1.3.6.1.4.1.55555.1', Buffer.of(5, 0));
    expect(verdict({ leaf: issueServer({ issuer: root, extensions: [harmless] }).der })).toBe('ok');
  });

  it("doesn't matter in certificates off the path, be they unreadable", () => {
    const garbage = Buffer.from('3003020105', 'hex');
    expect(verdict({ leaf: server.der, intermediates: [garbage, middle.der, 'no certificate'] })).toBe('ok');
    expect(verdict({ leaf: server.der, intermediates: [garbage] })).toBe('malformed at 1');
    expect(verdict({ leaf: garbage })).toBe('malformed at 1');
    expect(verdict({ leaf: server.der, intermediates: [middle.der], crls: [garbage] })).toBe(
      'revocation-unknown at 1',
    );
  });

  it('is an option of the wrong kind', () => {
    const options = { leaf: server.der, anchors: [root.der], usage: 'server' } as const;
    for (const wrong of [
      { usage: 'email' },
      { rules: 'none' },
      { rules: '__proto__' },
      { at: NaN },
      { at: new Date('x') },
      { maxDepth: -1 },
    ]) {
      expect(() => verifyPathSync({ ...options, ...wrong } as VerifyOptions), JSON.stringify(wrong)).toThrow(
        InvalidOptionError,
      );
    }
  });
});

describe('judging a path again', () => {
  const path = [server, middle, root].map(({ certificate }) => certificate);

  it('needs no signatures, and sees what has changed since', () => {
    expect(validatePath(path, { at: now, name: 'a.test', usage: 'server' })).toMatchObject({
      ok: true,
      path,
    });
    expect(validatePath(path, { at: new Date('2028-01-01T00:00:00Z'), usage: 'server' })).toMatchObject({
      reason: 'expired',
      position: 1,
    });
    expect(validatePath(path, { at: now, name: 'b.test', usage: 'server' })).toMatchObject({
      reason: 'wrong-name',
    });
    expect(validatePath(path, { at: now, usage: 'client' })).toMatchObject({ reason: 'wrong-usage' });
  });

  it('hands over the certificate at fault', () => {
    const verdictOf = validatePath(path, { at: now, usage: 'client' });
    expect(!verdictOf.ok && verdictOf.certificate).toBe(server.certificate);
  });
});

describe('a search', () => {
  // Twelve CAs, each certified by the other eleven, have 11! paths between two of them.
  it('ends soon in a mesh of CAs that have all signed each other', () => {
    const cas = Array.from({ length: 12 }, (_, at) => issueCa({ subject: `CN=Mesh ${at}` }));
    const mesh = cas.flatMap((subject) =>
      cas
        .filter((issuer) => issuer !== subject)
        .map((issuer) => issueCa({ subject: subject.subject, issuer, keyOf: subject })),
    );
    const intermediates = mesh.map(({ certificate }) => certificate);
    const { certificate: leaf } = issueServer({ issuer: cas[0] as Made });
    expect(verdict({ leaf, intermediates })).toBe('unknown-issuer at 1');
    expect(sentence({ leaf, intermediates })).toContain('within 100 signature checks and 1,000 links');
    expect(verdict({ leaf, intermediates, maxDepth: 1_000 })).toBe('unknown-issuer at 1');
    expect(verdict({ leaf, intermediates, anchors: [(cas[5] as Made).der] })).toBe('ok');
  });

  it('ends soon among many CAs of one name', () => {
    const cas = Array.from({ length: 150 }, (_, at) => issueCa({ subject: 'CN=Same', serial: at + 1 }));
    const leaf = issueServer({ issuer: cas[149] as Made });
    const result = verifyPathSync({
      leaf: leaf.der,
      intermediates: cas.map(({ der }) => der),
      anchors: [root.der],
      at: now,
      usage: 'server',
    });
    expect(!result.ok && result.message).toMatch(/signature checks|isn't signed/);
  });

  it("isn't led in circles by a CA that signs itself under many certificates", () => {
    const ca = issueCa({ subject: 'CN=Loop' });
    const copies = Array.from({ length: 40 }, (_, at) =>
      issueCa({ subject: 'CN=Loop', issuer: ca, keyOf: ca, serial: at + 100 }),
    );
    const leaf = issueServer({ issuer: ca });
    expect(verdict({ leaf: leaf.der, intermediates: copies.map(({ der }) => der) })).toBe(
      'unknown-issuer at 2',
    );
  });
});

describe('a certificate', () => {
  it('says what it is', () => {
    const made = issueServer({
      issuer: root,
      names: ['DNS:a.test', 'IP:c0000201', 'email:a@b.test', 'URI:spiffe://a/b'],
      serial: 0xabcdefn,
    });
    const { certificate } = made;
    expect(certificate).toMatchObject({
      version: 3,
      serial: 'abcdef',
      dnsNames: ['a.test'],
      ipAddresses: ['192.0.2.1'],
      emailAddresses: ['a@b.test'],
      uris: ['spiffe://a/b'],
      extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
      basicConstraints: undefined,
    });
    expect([...(certificate.keyUsage ?? [])]).toEqual(['digitalSignature']);
    expect(certificate.publicKey.equals(made.publicKey)).toBe(true);
    expect(parseCertificate(certificate.pem).fingerprint256).toBe(certificate.fingerprint256);
    expect(certificate.spkiPin).toMatch(/^sha256\/[A-Za-z0-9+/]{43}=$/);
    expect(root.certificate.isSelfSigned && root.certificate.isSelfIssued).toBe(true);
    expect(certificate.isSelfSigned || certificate.isSelfIssued).toBe(false);
  });

  it('keeps its dates from being changed', () => {
    server.certificate.notAfter.setFullYear(3000);
    expect(server.certificate.notAfter.toISOString()).toBe('2027-01-01T00:00:00.000Z');
  });
});
