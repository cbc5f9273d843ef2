import { createAuthority, type Authority } from '@knsock/certs';
import {
  connect,
  createCredentials,
  crlRevocation,
  serve,
  type Credentials,
  type CrlRevocationOptions,
  type RevocationSource,
  type RevocationVerdict,
} from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';
import { issueCa, issueClient, makeCrlDer } from '../x509/issue.js';

const day = 86_400_000;

let world: World;
let intermediate: Authority;
let clientBelow: Credentials;
beforeAll(async () => {
  world = await createWorld();
  intermediate = await world.authority.intermediate({ commonName: 'Intermediate', days: 20 });
  clientBelow = await clientOf(intermediate, 'below');
});

async function clientOf(authority: Authority, commonName: string): Promise<Credentials> {
  const { chain, key } = await authority.issue({ kind: 'client', commonName, days: 7 });
  return createCredentials({ cert: chain, key, ca: world.authority.root });
}

/** A server that checks its clients against the source. */
function serverWith(revocation: RevocationSource, extra: { ca?: string[]; handshakeTimeout?: number } = {}) {
  const { ca = [world.authority.root], ...limits } = extra;
  return serve(
    {
      port: 0,
      host: '127.0.0.1',
      credentials: createCredentials({ ...world.server.material, ca }),
      clientCertificates: 'require',
      revocation,
      ...limits,
    },
    ({ payload }) => payload,
  );
}

/** `'in'`, or the reason why the server refused. */
async function fate(
  server: Awaited<ReturnType<typeof serverWith>>,
  credentials: Credentials,
): Promise<string> {
  try {
    const options = { host: 'localhost', port: portOf(server), credentials, resume: false };
    await (await connect(options)).close();
    return 'in';
  } catch (error) {
    return (error as { reason?: string }).reason ?? (error as Error).message;
  }
}

const lists = (options: CrlRevocationOptions) => serverWith(crlRevocation(options));

describe('revocation lists', () => {
  it('all count, in a bundle of PEM and as DER', async () => {
    const authorities = await Promise.all(
      ['One', 'Two', 'Three'].map((commonName) => createAuthority({ commonName })),
    );
    const clients = await Promise.all(authorities.map((authority) => clientOf(authority, 'app')));
    await Promise.all(
      authorities.map((authority, at) => authority.revoke(clients[at]?.material.cert as string)),
    );
    const crls = await Promise.all(authorities.map((authority) => authority.crl()));
    const [one, two, three] = crls as [(typeof crls)[0], (typeof crls)[0], (typeof crls)[0]];
    await using server = await serverWith(crlRevocation({ crls: [one.pem + two.pem, three.der] }), {
      ca: authorities.map(({ root }) => root),
    });
    for (const client of clients) expect(await fate(server, client)).toBe('revoked');
    const innocent = await clientOf(authorities[1] as Authority, 'other');
    expect(await fate(server, innocent)).toBe('in');
  });

  it("refuse a revoked intermediate, whether or not its CA's list is required", async () => {
    const root = await createAuthority({ commonName: 'Root' });
    const below = await root.intermediate({ commonName: 'Below' });
    const client = await clientOf(below, 'app');
    await root.revoke(below.certificate);
    const crls = [(await root.crl()).pem, (await below.crl()).pem];
    const ca = [root.root];
    await using leaf = await serverWith(crlRevocation({ crls }), { ca });
    await using chain = await serverWith(crlRevocation({ crls, depth: 'chain' }), { ca });
    expect([await fate(leaf, client), await fate(chain, client)]).toEqual(['revoked', 'revoked']);
  });

  it('are required for the leaf only, or for the whole chain', async () => {
    const crls = [(await intermediate.crl()).pem];
    await using leaf = await lists({ crls });
    await using chain = await lists({ crls, depth: 'chain' });
    const [atLeaf, atChain] = [await fate(leaf, clientBelow), await fate(chain, clientBelow)];
    expect([atLeaf, atChain]).toEqual(['in', 'revocation-unknown']);
  });

  it('refuse certificates that no list covers, unless configured otherwise', async () => {
    const crls = [(await world.authority.crl()).pem];
    await using strict = await lists({ crls });
    await using lenient = await lists({ crls, unknown: 'accept' });
    expect(await fate(strict, clientBelow)).toBe('revocation-unknown');
    expect(await fate(lenient, clientBelow)).toBe('in');
  });

  it('are stale after nextUpdate, and then refuse unless configured otherwise; a revocation still counts', async () => {
    const now = Date.now();
    const dates = { notBefore: new Date(now - day), notAfter: new Date(now + day) };
    const ca = issueCa({ subject: 'CN=Old CA', ...dates });
    const pem = (der: Buffer) =>
      `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
    const [good, bad] = [1, 2].map((serial) => {
      const made = issueClient({ subject: 'CN=app', issuer: ca, serial, ...dates });
      const key = made.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
      return createCredentials({ cert: pem(made.der), key, ca: world.authority.root });
    }) as [Credentials, Credentials];
    const crl = makeCrlDer({
      issuer: ca,
      thisUpdate: new Date(now - day),
      nextUpdate: new Date(now - day / 2),
      revoked: [{ serial: 2, date: new Date(now - day) }],
    });
    const anchors = { ca: [pem(ca.der)] };
    await using strict = await serverWith(crlRevocation({ crls: [crl] }), anchors);
    await using lenient = await serverWith(crlRevocation({ crls: [crl], stale: 'accept' }), anchors);
    expect([await fate(strict, good), await fate(strict, bad)]).toEqual(['crl-stale', 'revoked']);
    expect([await fate(lenient, good), await fate(lenient, bad)]).toEqual(['in', 'revoked']);
  });
});

describe('a peer revoked while it is connected', () => {
  it("is disconnected by the reload, learns why, and doesn't resume", async () => {
    const client = await clientOf(world.authority, 'leaver');
    const stayer = await clientOf(world.authority, 'stayer');
    await using server = await lists({ crls: [(await world.authority.crl()).pem] });
    const options = { host: 'localhost', port: portOf(server), credentials: client };
    const leaving = await connect(options);
    const staying = await connect({ ...options, credentials: stayer });
    await leaving.request('a');
    await world.authority.revoke(client.material.cert, 'key-compromise');
    await server.rotate({ revocation: crlRevocation({ crls: [(await world.authority.crl()).pem] }) });
    expect(await leaving.closed).toMatchObject({
      clean: false,
      error: { code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED', reason: 'revoked' },
    });
    await expect(connect(options)).rejects.toMatchObject({ reason: 'revoked' });
    expect(String(await staying.request('still here'))).toBe('still here');
    await staying.close();
  });

  it('is disconnected when a custom source reports that its answers changed', async () => {
    let tell: () => void = () => undefined;
    let status: RevocationVerdict['status'] = 'good';
    await using server = await serverWith({
      version: '1',
      onChange: (listener) => {
        tell = listener;
        return () => undefined;
      },
      check: () => ({ status, position: 1 }),
    });
    const client = await connect({ host: 'localhost', port: portOf(server), credentials: world.client });
    status = 'unknown';
    tell();
    expect((await client.closed).error).toMatchObject({ reason: 'revocation-unknown' });
  });
});

describe('a custom source', () => {
  const source = (check: () => unknown): RevocationSource => ({
    version: '1',
    onChange: () => () => undefined,
    check: check as RevocationSource['check'],
  });
  const thenable = (value: unknown) => ({ then: (resolve: (value: unknown) => void) => resolve(value) });

  it.each<[string, () => unknown, string]>([
    ['says good', () => ({ status: 'good', position: 1 }), 'in'],
    ['says good in a while', async () => Promise.resolve({ status: 'good', position: 1 }), 'in'],
    ['says good by another kind of promise', () => thenable({ status: 'good', position: 1 }), 'in'],
    ['says revoked', () => ({ status: 'revoked', position: 1, reason: 'superseded' }), 'revoked'],
    ["doesn't know", () => ({ status: 'unknown', position: 1 }), 'revocation-unknown'],
    ['says a word of its own', () => ({ status: 'fine', position: 1 }), 'revocation-unknown'],
    ['says nothing', () => undefined, 'revocation-unknown'],
    ['says nothing in a while', async () => Promise.resolve(null), 'revocation-unknown'],
    [
      'throws',
      () => {
        throw new Error('no network');
      },
      'revocation-unknown',
    ],
    ['rejects', () => Promise.reject(new Error('no network')), 'revocation-unknown'],
  ])('that %s', async (_words, check, expected) => {
    await using server = await serverWith(source(check));
    expect(await fate(server, world.client)).toBe(expected);
  });

  it('that hangs refuses at the deadline, and its signal fires', async () => {
    let signal: AbortSignal | undefined;
    await using server = await serverWith(
      {
        ...source(() => undefined),
        check: (_path, context) => {
          signal = context.signal;
          return new Promise(() => undefined);
        },
      },
      { handshakeTimeout: 800 },
    );
    const connecting = connect({ host: 'localhost', port: portOf(server), credentials: world.client });
    await expect(connecting).rejects.toThrow(/verifying .* took over 800 ms/);
    expect(signal?.aborted).toBe(true);
    expect(server.stats()).toMatchObject({ refusedPeers: 1, pendingHandshakes: 0 });
  });
});
