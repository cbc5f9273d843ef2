import { channel } from 'node:diagnostics_channel';
import { createCredentials, lines, listen, type ListenOptions } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hear } from '../support/heard.js';
import { ticketOf, versions, visit } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
/** Certified by an intermediate below an intermediate, both sent along. */
let client: { cert: string; key: string };
let named: ListenOptions['credentials'];
beforeAll(async () => {
  world = await createWorld();
  const above = await world.authority.intermediate({ commonName: 'Above', pathLength: 1 });
  const below = await above.intermediate({ commonName: 'Below' });
  const { chain, key } = await below.issue({ kind: 'client', names: ['app.example'], commonName: 'app' });
  client = { cert: chain, key };
  const own = await world.authority.issue({ kind: 'server', names: ['a.test'] });
  named = createCredentials({ cert: own.chain, key: own.key, ca: world.authority.root });
});

/** Sends each client the path that the server saw. */
const listening = (options: object) =>
  listen(
    { port: 0, host: '127.0.0.1', framing: lines(), credentials: world.server, ...options },
    async (connection) => {
      const path = connection.peer?.path.map(({ subject }) => subject.commonNames[0]).join(' < ') ?? 'nobody';
      await connection.send(`${path}${connection.tls.resumed ? ', resumed' : ''}`);
      void connection.close();
    },
  );

const whole = 'app < Below < Above < Test CA';

describe.each(versions)('what a client sends beside its certificate, over %s', (version) => {
  const profile = { minVersion: version, maxVersion: version };

  it.each(['require', 'request'] as const)(
    'leads to its CA, on a resumed connection too: %s',
    async (how) => {
      await using server = await listening({ profile, clientCertificates: how });
      const first = await visit(portOf(server), client);
      expect(first.received).toBe(`${whole}\n`);
      const again = await visit(portOf(server), { ...client, session: ticketOf(first) });
      expect(again.received).toBe(`${whole}, resumed\n`);
      expect((await visit(portOf(server), {})).received).toBe(how === 'request' ? 'nobody\n' : '');
    },
  );

  it('is read for a name that is the only one to request certificates', async () => {
    const sni = { 'a.test': { credentials: named, clientCertificates: 'require' } };
    await using server = await listening({ profile, sni });
    const first = await visit(portOf(server), { ...client, servername: 'a.test' });
    expect(first.received).toBe(`${whole}\n`);
    const options = { ...client, servername: 'a.test', session: ticketOf(first) };
    expect((await visit(portOf(server), options)).received).toBe(`${whole}, resumed\n`);
    expect((await visit(portOf(server), client)).received).toBe('nobody\n');
  });

  it('is read with or without subscribers of the key log, before, between and after', async () => {
    await using server = await listening({ profile, clientCertificates: 'require' });
    const look = async (): Promise<string> => (await visit(portOf(server), client)).received;
    expect(await look()).toBe(`${whole}\n`);
    {
      using heard = hear('knsock:keylog');
      expect(await look()).toBe(`${whole}\n`);
      expect(heard.events.length).toBeGreaterThan(0);
    }
    expect(channel('knsock:keylog').hasSubscribers).toBe(false);
    expect(await look()).toBe(`${whole}\n`);
  });
});

describe("a server that has another's tickets, but never saw the client", () => {
  const secret = { ticketSecret: Buffer.alloc(32, 7), clientCertificates: 'require' };

  it('refuses them where only the client can present its issuers', async () => {
    await using one = await listening(secret);
    await using other = await listening(secret);
    const first = await visit(portOf(one), client);
    expect(await visit(portOf(other), { ...client, session: ticketOf(first) })).toMatchObject({
      resumed: true,
      received: '',
    });
    expect((await visit(portOf(other), client)).received).toBe(`${whole}\n`);
  });

  it('accepts them where it has the issuers among its CAs', async () => {
    const issuers = client.cert.split(/(?<=-----END CERTIFICATE-----\n)/).slice(1);
    const ca = [world.authority.root, ...issuers];
    const credentials = createCredentials({ ...world.server.material, ca });
    await using one = await listening({ ...secret, credentials });
    await using other = await listening({ ...secret, credentials });
    const first = await visit(portOf(one), client);
    const again = await visit(portOf(other), { ...client, session: ticketOf(first) });
    expect(again.received).toBe(`${whole}, resumed\n`);
  });
});
