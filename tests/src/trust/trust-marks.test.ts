/** What `openssl x509 -trustout` writes behind a certificate applies to anchors, as in OpenSSL. */
import { createAuthority, type Authority, type Issued } from '@knsock/certs';
import { connect, createCredentials, listen } from '@knsock/core';
import { parseCertificate, parseCertificates, toPem, verifyPathSync } from '@knsock/core/x509';
import { beforeAll, describe, expect, it } from 'vitest';
import { portOf } from '../support/world.js';
import { oid, purposes, sequence, tlv } from '../x509/issue.js';

type Purpose = keyof typeof purposes;

let authority: Authority;
let server: Issued;
let client: Issued;

beforeAll(async () => {
  authority = await createAuthority({ commonName: 'Marked CA' });
  server = await authority.issue({ kind: 'server', names: ['localhost'] });
  client = await authority.issue({ kind: 'client', commonName: 'alice' });
});

const oids = (list: readonly Purpose[]): Buffer[] => list.map((purpose) => oid(purposes[purpose]));

function marked(
  { trust, reject }: { trust?: readonly Purpose[]; reject?: readonly Purpose[] },
  pem = authority.root,
) {
  const settings = [
    ...(trust === undefined ? [] : [sequence(...oids(trust))]),
    ...(reject === undefined ? [] : [tlv(0xa0, ...oids(reject))]),
    tlv(0x0c, Buffer.from('an alias')),
  ];
  return toPem('TRUSTED CERTIFICATE', Buffer.concat([parseCertificate(pem).der, sequence(...settings)]));
}

const verdictOn = (
  anchors: readonly string[],
  leaf = server.certificate,
  usage: 'server' | 'client' = 'server',
) => {
  const verdict = verifyPathSync({ leaf, intermediates: [authority.root], anchors, usage });
  return verdict.ok ? 'trusted' : verdict.reason;
};

describe('an anchor with trust marks', () => {
  it.each<[string, Parameters<typeof marked>[0], string, string]>([
    ['no purposes', {}, 'trusted', 'trusted'],
    ['servers trusted', { trust: ['server'] }, 'trusted', 'wrong-usage'],
    ['clients trusted', { trust: ['client'] }, 'wrong-usage', 'trusted'],
    ['everything trusted', { trust: ['any'] }, 'trusted', 'trusted'],
    ['nothing that TLS uses trusted', { trust: ['code'] }, 'wrong-usage', 'wrong-usage'],
    ['servers rejected', { reject: ['server'] }, 'wrong-usage', 'trusted'],
    ['clients rejected', { reject: ['client'] }, 'trusted', 'wrong-usage'],
    ['everything rejected', { reject: ['any'] }, 'wrong-usage', 'wrong-usage'],
    [
      'the same trusted and rejected',
      { trust: ['server'], reject: ['server'] },
      'wrong-usage',
      'wrong-usage',
    ],
  ])('with %s is trusted for the remaining usages', (_what, marks, forServers, forClients) => {
    const anchors = [marked(marks)];
    expect([verdictOn(anchors), verdictOn(anchors, client.certificate, 'client')]).toEqual([
      forServers,
      forClients,
    ]);
  });

  it('is refused where one of its copies is marked so, in any order', () => {
    const refused = marked({ reject: ['server'] });
    expect(verdictOn([refused, authority.root])).toBe('wrong-usage');
    expect(verdictOn([authority.root, refused])).toBe('wrong-usage');
    expect(verdictOn([marked({ trust: ['server'] }), marked({ trust: ['client'] })])).toBe('wrong-usage');
  });

  it('keeps its marks as bytes, as text in a bundle, and when parsed', () => {
    const [, read] = parseCertificates(authority.root + marked({ trust: ['client'] }));
    expect(read?.trustMarks).toEqual({ trusted: [purposes.client], rejected: [] });
    const verdict = verifyPathSync({ leaf: server.certificate, anchors: [read ?? ''], usage: 'server' });
    expect(verdict.ok).toBe(false);
  });

  it('is named in the error, with how to remove the marks', () => {
    const anchors = [marked({ reject: ['server'] })];
    expect(verifyPathSync({ leaf: server.certificate, anchors, usage: 'server' })).toMatchObject({
      position: 2,
      message: expect.stringContaining('not to be trusted for TLS servers (TRUSTED CERTIFICATE)') as string,
      hint: expect.stringContaining('openssl x509 -clrtrust -clrreject') as string,
    });
  });

  it('has no effect where a peer sends it', () => {
    const leaf = marked({ reject: ['server'] }, server.certificate);
    expect(verifyPathSync({ leaf, anchors: [authority.root], usage: 'server' }).ok).toBe(true);
    const intermediates = [marked({ reject: ['server'] })];
    const options = { leaf: server.certificate, intermediates, anchors: [authority.root] };
    expect(verifyPathSync({ ...options, usage: 'server' }).ok).toBe(true);
  });
});

describe('a connection', () => {
  async function connecting(ca: string, clientCa = authority.root): Promise<string> {
    const own = { cert: server.chain, key: server.key, ca: clientCa };
    const credentials = createCredentials(own);
    await using listening = await listen(
      { port: 0, host: '127.0.0.1', credentials, clientCertificates: 'require' },
      () => undefined,
    );
    const trust = createCredentials({ cert: client.chain, key: client.key, ca });
    const attempt = connect({ host: 'localhost', port: portOf(listening), credentials: trust });
    return await attempt.then(
      async (connection) => {
        await connection.close();
        return 'connected';
      },
      (error: unknown) => (error as { code: string }).code,
    );
  }

  it("is refused by whichever side's CA is marked against the other", async () => {
    expect(await connecting(marked({ trust: ['server'] }), marked({ trust: ['client'] }))).toBe('connected');
    expect(await connecting(marked({ trust: ['client'] }))).toBe('KNSOCK_PEER_WRONG_USAGE');
    expect(await connecting(authority.root, marked({ reject: ['client'] }))).not.toBe('connected');
  });

  it("has other trust: marks are part of the anchors' version", () => {
    const versions = [authority.root, marked({ trust: ['server'] }), marked({ trust: ['client'] })].map(
      (ca) => createCredentials({ ca }).anchorsVersion,
    );
    expect(new Set(versions).size).toBe(3);
  });
});
