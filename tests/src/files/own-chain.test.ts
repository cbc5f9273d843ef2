import { createAuthority, type Authority, type Issued } from '@knsock/certs';
import { connect, createCredentials, listen, type Credentials } from '@knsock/core';
import { arrangeOwnChain, parseCertificates } from '@knsock/core/x509';
import { portOf } from '../support/world.js';
import { issueCa, issueServer } from '../x509/issue.js';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** Valid from a day ago on. */
const dates = (ms: number) => ({
  notBefore: new Date(Date.now() - DAY),
  notAfter: new Date(Date.now() + ms),
});

describe("a server's own chain", () => {
  let root: Authority;
  let middle: Authority;
  let leaf: Issued;
  let stranger: Authority;

  beforeAll(async () => {
    root = await createAuthority({ commonName: 'Root', days: 3_650 });
    middle = await root.intermediate({ commonName: 'Middle', days: 100 });
    leaf = await middle.issue({ kind: 'server', names: ['localhost'], days: 90 });
    stranger = await createAuthority({ commonName: 'Stranger' });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  const load = (cert: string, key = leaf.key): Credentials => createCredentials({ cert, key });
  const reasons = ({ warnings }: Credentials) => warnings.map(({ reason, fatal }) => `${reason} ${fatal}`);

  it('is sent as it is where nothing is wrong', () => {
    const credentials = load(leaf.chain + root.certificate);
    expect([credentials.chain.length, credentials.warnings]).toEqual([3, []]);
  });

  it.each([
    ['a duplicate of the leaf', () => leaf.certificate + leaf.chain, 2],
    ['a duplicate of the intermediate', () => leaf.chain + middle.certificate, 2],
    ['an unrelated certificate', () => leaf.chain + stranger.certificate, 2],
    ['a wrong order', () => leaf.certificate + root.certificate + middle.certificate, 3],
    ['nothing but the leaf and a stranger', () => leaf.certificate + stranger.certificate, 1],
  ])('serves, with a warning, where it has %s', async (_, cert, length) => {
    const credentials = load(cert());
    expect(reasons(credentials)).toEqual(['chain false']);
    expect(credentials.chain).toHaveLength(length);
    if (length > 1) await expectServed(credentials);
  });

  it('sends the valid certificate of a CA before its expired one', () => {
    const top = issueCa({ subject: 'CN=Top', ...dates(DAY) });
    const valid = issueCa({ subject: 'CN=Below', issuer: top, ...dates(DAY) });
    const expired = issueCa({ subject: 'CN=Below', issuer: top, keyOf: valid, ...dates(-HOUR) });
    const end = issueServer({ issuer: valid, names: ['DNS:localhost'], ...dates(DAY) });
    const given = [end, expired, valid].map(({ certificate }) => certificate);
    const { chain, warnings } = arrangeOwnChain(given, { file: undefined, anchors: [], now: Date.now() });
    expect(chain).toEqual([end, valid, expired].map(({ certificate }) => certificate));
    expect(warnings.map(({ reason, fatal }) => `${reason} ${fatal}`)).toEqual([
      'chain false',
      'expired false',
    ]);
  });

  it('says that the leaf must come first', () => {
    const given = [middle.certificate, leaf.certificate].flatMap((pem) => parseCertificates(pem));
    const { warnings } = arrangeOwnChain(given, { file: undefined, anchors: [], now: Date.now() });
    expect(warnings[0]?.message).toBe(
      "certificate 2 of 2 (CN=localhost) was issued by one before it, and the leaf must come first; it isn't sent",
    );
  });

  it('leaves out the other intermediate of a CA that changes its key', async () => {
    const other = await root.intermediate({ commonName: 'Middle' });
    const credentials = load(leaf.certificate + other.certificate + middle.certificate);
    expect(credentials.chain.map(({ pem }) => pem).join('')).toBe(leaf.chain);
    expect(credentials.warnings[0]?.message).toBe(
      "certificate 2 of 3 (CN=Middle) issued none of the others; it isn't sent",
    );
    await expectServed(credentials);
  });

  it('serves where a certificate above its issuer has expired, which clients have in another form', () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
    const { notAfter } = createCredentials({ ca: middle.certificate }).anchors?.[0] ?? {
      notAfter: new Date(),
    };
    expect(notAfter.getTime()).toBeGreaterThan(Date.now());
    vi.setSystemTime(Date.now() + 4_000 * DAY);
    // The root's own end has passed by then; the leaf and its issuer's as well, which nobody can use.
    const late = load(leaf.chain + root.certificate);
    expect(late.warnings.map(({ message, fatal }) => [message.split(' expired')[0], fatal])).toEqual([
      ['certificate 1 of 3 (CN=localhost)', true],
      ['certificate 2 of 3 (CN=Middle)', true],
      ['certificate 3 of 3 (CN=Root)', false],
    ]);
  });

  it('refuses the certificate of a CA or a client, with the reason', async () => {
    const client = await middle.issue({ kind: 'client', names: ['spiffe://a.example/one'] });
    const ca = createCredentials({ cert: root.certificate, key: root.key });
    await expectRefused(ca, 'no client accepts this certificate: CN=Root');
    await expectRefused(load(client.chain, client.key), 'no client accepts this certificate');
  });

  it('refuses CAs whose names are too long for a handshake, where it would name them', async () => {
    const names = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        createAuthority({
          commonName: `CA ${index}`,
          organizationalUnit: Array.from({ length: 16 }, () => 'x'.repeat(64)),
        }),
      ),
    );
    const ca = names.map(({ certificate }) => certificate);
    const credentials = createCredentials({ cert: leaf.chain, key: leaf.key, ca });
    await expectRefused(credentials, 'a handshake holds 65,535', 'require');
    const server = await listen({ port: 0, credentials }, () => undefined);
    await server.close();
  });

  it('counts a CA that a bundle names twice once', () => {
    expect(createCredentials({ ca: root.certificate + root.certificate }).anchors).toHaveLength(1);
  });

  async function expectServed(credentials: Credentials): Promise<void> {
    const server = await listen({ port: 0, credentials }, () => undefined);
    onTestFinished(() => server.close());
    const trust = createCredentials({ ca: root.certificate });
    const connection = await connect({ port: portOf(server), host: 'localhost', credentials: trust });
    await connection.close();
  }

  async function expectRefused(
    credentials: Credentials,
    words: string,
    clientCertificates: 'none' | 'require' = 'none',
  ): Promise<void> {
    await expect(listen({ port: 0, credentials, clientCertificates }, () => undefined)).rejects.toThrow(
      words,
    );
  }
});
