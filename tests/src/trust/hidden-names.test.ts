/** Clients that show OpenSSL another name than our reader, which chooses the virtual host by it. */
import { createCredentials, lines, listen, type Credentials, type SecureServer } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bare, ticketOf, versions, visit } from '../support/raw-tls.js';
import { before, rewriting, split } from '../support/rewritten-hello.js';
import { createWorld, portOf, type World } from '../support/world.js';

const PROTECTED = 'admin.test';

let world: World;
let admin: Credentials;
beforeAll(async () => {
  world = await createWorld();
  const { chain, key } = await world.authority.issue({ kind: 'server', names: [PROTECTED], days: 7 });
  admin = createCredentials({ cert: chain, key, ca: world.authority.root });
});

/** Admits every client except under one name; sends each connection its name and identity. */
function listening(options: object = {}): Promise<SecureServer> {
  return listen(
    {
      port: 0,
      host: '127.0.0.1',
      framing: lines(),
      credentials: world.server,
      sni: { [PROTECTED]: { credentials: admin, clientCertificates: 'require' } },
      ...options,
    },
    (connection) => {
      connection.write(
        `${connection.tls.servername ?? 'no name'} ${connection.peer?.commonNames[0] ?? 'nobody'}`,
      );
      void connection.close();
    },
  );
}

const HIDDEN = {
  'an empty handshake record first': before('1603010000'),
  'many empty handshake records first': before('1603010000'.repeat(20)),
  'an empty handshake record in its midst': split(60, '1603030000'),
  'a warning alert first': before('15030100020 15a'.replace(' ', '')),
  'a warning alert in its midst': split(60, '150301000201 5a'.replace(' ', '')),
  'a change_cipher_spec first': before('140303000101'),
  'application data first': before('1703030000'),
  'a heartbeat record first': before('180303000101'),
  'a HelloRequest first': before('160301000400000000'),
};

describe.each(versions)('over %s', (version) => {
  const client = (options: object = {}) => ({
    ...bare(world.anonymous),
    servername: PROTECTED,
    minVersion: version,
    maxVersion: version,
    ...options,
  });

  it.each(Object.entries(HIDDEN))('a name behind %s leads nowhere else', async (_what, rewrite) => {
    for (const unknownName of ['default', 'refuse']) {
      await using server = await listening({ unknownName });
      await using relay = await rewriting(portOf(server), rewrite);
      const visited = await visit(relay.port, client());
      expect(visited.received).toBe('');
      await vi.waitFor(() => expect(server.stats()).toMatchObject({ admitted: 0, failedHandshakes: 1 }));
    }
  });

  it('a name after 64 KiB of protocols selects no other host', async () => {
    await using server = await listening();
    const protocols = Array.from({ length: 256 }, () => 'p'.repeat(254));
    const visited = await visit(portOf(server), client({ ALPNProtocols: protocols }));
    expect(visited.received).toBe('');
    expect(server.stats().admitted).toBe(0);
  });

  it('a hello in several records is read as one', async () => {
    await using server = await listening();
    for (const size of [1, 5, 60]) {
      await using relay = await rewriting(portOf(server), split(size));
      expect((await visit(relay.port, client())).received).toBe('');
      expect((await visit(relay.port, client(bare(world.client)))).received).toBe(`${PROTECTED} app\n`);
      expect((await visit(relay.port, client({ servername: 'localhost' }))).received).toBe(
        'localhost nobody\n',
      );
    }
  });

  it('a name with a trailing dot is the same name', async () => {
    await using server = await listening();
    const dotted = client({ servername: `${PROTECTED}.` });
    expect((await visit(portOf(server), dotted)).received).toBe('');
    expect((await visit(portOf(server), { ...dotted, ...bare(world.client) })).received).toBe(
      `${PROTECTED}. app\n`,
    );
  });

  it('a ticket of another virtual host of the server gets a full handshake', async () => {
    await using server = await listening();
    const visited = await visit(portOf(server), client({ servername: 'localhost' }));
    const session = ticketOf(visited);
    expect(await visit(portOf(server), client({ servername: 'localhost', session }))).toMatchObject({
      resumed: true,
      received: 'localhost nobody\n',
    });
    const crossed = await visit(portOf(server), client({ ...bare(world.client), session }));
    expect(crossed).toMatchObject({ resumed: false, received: `${PROTECTED} app\n` });
    const own = ticketOf(crossed);
    expect(await visit(portOf(server), client({ ...bare(world.client), session: own }))).toMatchObject({
      resumed: true,
      received: `${PROTECTED} app\n`,
    });
    const back = await visit(portOf(server), client({ servername: 'localhost', session: own }));
    expect(back).toMatchObject({ resumed: false, received: 'localhost nobody\n' });
    // Without a name the default host is chosen, for a ticket of a named one too.
    const { servername: _none, ...nameless } = client({ session: own });
    expect(await visit(portOf(server), nameless)).toMatchObject({
      resumed: false,
      received: 'no name nobody\n',
    });
  });
});

it('the refusal reports what is wrong, by an alert and on the channel', async () => {
  const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
  const told: { error: { code: string; message: string } }[] = [];
  const hear = (message: unknown): void => void told.push(message as (typeof told)[number]);
  subscribe('knsock:failure', hear);
  await using server = await listening();
  await using relay = await rewriting(portOf(server), before('1603010000'));
  const visited = await visit(relay.port, { servername: PROTECTED });
  unsubscribe('knsock:failure', hear);
  expect(visited.error).toMatch(/UNEXPECTED_MESSAGE/);
  expect(told.map(({ error }) => error)).toMatchObject([
    { code: 'KNSOCK_HANDSHAKE_CLIENT_HELLO', message: expect.stringContaining('empty') as string },
  ]);
});

it('a second hello, requested because of the groups, is accepted', async () => {
  await using server = await listening({ profile: { groups: 'P-384' } });
  const options = { ...bare(world.client), servername: PROTECTED, ecdhCurve: 'X25519:P-384' };
  expect((await visit(portOf(server), options)).received).toBe(`${PROTECTED} app\n`);
});
