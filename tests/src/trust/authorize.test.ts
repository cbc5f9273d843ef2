import {
  connect,
  createCredentials,
  serve,
  type AuthorizeFunction,
  type AuthorizeRules,
  type Credentials,
} from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

function serverWith(
  authorize: AuthorizeRules | AuthorizeFunction,
  options: { clientCertificates?: 'request' | 'require'; handshakeTimeout?: number } = {},
) {
  return serve(
    {
      port: 0,
      host: '127.0.0.1',
      credentials: world.server,
      clientCertificates: 'require',
      authorize,
      ...options,
    },
    ({ payload, peer }) => `${peer?.commonNames[0] ?? 'nobody'}: ${payload.toString()}`,
  );
}

const reach = (server: Parameters<typeof portOf>[0], credentials: Credentials) =>
  connect({ host: 'localhost', port: portOf(server), credentials, resume: false });

describe('authorize', () => {
  it.each<[string, AuthorizeRules | AuthorizeFunction]>([
    ['a rule', { commonNames: ['app', 'other'], organizationalUnits: ['engineering'] }],
    ['one of several rules', { any: [{ commonNames: ['other'] }, { dnsNames: ['APP.example'] }] }],
    ['a function', (peer) => peer?.organizationalUnits.includes('engineering') === true],
    ['a slow function', async () => Promise.resolve(true)],
  ])('admits the peer that %s allows', async (_words, authorize) => {
    await using server = await serverWith(authorize);
    const connection = await reach(server, world.client);
    expect(String(await connection.request('x'))).toBe('app: x');
    await connection.close();
  });

  it.each<[string, AuthorizeRules | AuthorizeFunction]>([
    ['an empty rule', {}],
    ['no rule at all', { any: [] }],
    ['a rule that holds in part', { commonNames: ['app'], organizationalUnits: ['sales'] }],
    ['a function that says no', () => false],
    ['a function that says something true', (() => 1) as unknown as AuthorizeFunction],
    [
      'a function that promises something true',
      (async () => Promise.resolve('yes')) as unknown as AuthorizeFunction,
    ],
    [
      'a function that throws',
      () => {
        throw new Error('on purpose');
      },
    ],
    ['a function that rejects', () => Promise.reject(new Error('on purpose'))],
  ])("refuses by %s, and doesn't reveal what the rules require", async (_words, authorize) => {
    await using server = await serverWith(authorize);
    const refused = reach(server, world.client);
    await expect(refused).rejects.toMatchObject({
      code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
      reason: 'not-allowed',
    });
    await expect(refused).rejects.not.toThrow(/sales|on purpose/);
  });

  it('refuses at the deadline where the function hangs, and fires its signal', async () => {
    let signal: AbortSignal | undefined;
    await using server = await serverWith(
      (_peer, context) => {
        signal = context.signal;
        return new Promise(() => undefined);
      },
      { handshakeTimeout: 150 },
    );
    await expect(reach(server, world.client)).rejects.toThrow(/verifying .* took over 150 ms/);
    expect(signal?.aborted).toBe(true);
  });

  it('applies to connected peers as soon as it is rotated', async () => {
    await using server = await serverWith({ commonNames: ['app'] });
    const connection = await reach(server, world.client);
    await server.rotate({ authorize: undefined });
    expect(connection.state).toBe('open');
    await server.rotate({ authorize: { commonNames: ['other'] } });
    expect((await connection.closed).error).toMatchObject({ reason: 'not-allowed' });
    await server.rotate({ authorize: null });
    await (await reach(server, world.client)).close();
    await expect(server.rotate({ authorise: () => true } as object)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
    });
  });

  it('receives null where a certificate is requested, not required, and not sent', async () => {
    const request = { clientCertificates: 'request' } as const;
    await using open = await serverWith((peer) => peer === null || peer.commonNames[0] === 'app', request);
    await using ruled = await serverWith({ commonNames: ['app'] }, request);
    for (const [credentials, name] of [
      [world.anonymous, 'nobody'],
      [world.client, 'app'],
    ] as const) {
      const connection = await reach(open, credentials);
      expect(String(await connection.request('x'))).toBe(`${name}: x`);
      await connection.close();
    }
    await expect(reach(ruled, world.anonymous)).rejects.toMatchObject({ reason: 'not-allowed' });
    await (await reach(ruled, world.client)).close();
  });

  it('never admits an invalid certificate, even where none is required', async () => {
    const other = await createWorld('Other CA');
    await using server = await serverWith(() => true, { clientCertificates: 'request' });
    const stranger = createCredentials({ ...other.client.material, ca: world.authority.root });
    await expect(reach(server, stranger)).rejects.toMatchObject({ reason: 'unknown-issuer' });
  });
});
