import { createCredentials } from '@knsock/core';
import { createSecureContext } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, nodeMajor, stockServer, ticketOf, versions, visit } from '../../support/raw-tls.js';
import { createWorld, portOf, type World } from '../../support/world.js';
import { ourServer } from './ours.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

describe.each(versions)('a ticket for one SNI name presented to another, over %s', (version) => {
  const falls = nodeMajor === 20;

  it(`makes its bearer ${falls ? 'authorized' : 'no more'} at a stock server whose other name has another client CA`, async () => {
    const contexts: Record<string, ReturnType<typeof createSecureContext>> = {
      'a.test': createSecureContext({ ...bare(world.server), sessionIdContext: 'a' }),
      'b.test': createSecureContext({ ...bare(other.server), sessionIdContext: 'b' }),
    };
    await using server = await stockServer({
      ...bare(world.server),
      requestCert: true,
      maxVersion: version,
      SNICallback: (name, done) => done(null, contexts[name]),
    });
    const client = bare(world.client);
    const visited = await visit(server.port, { ...client, servername: 'a.test' });
    expect(visited.received).toBe('authorized as app');
    const replayed = await visit(server.port, {
      ...client,
      servername: 'b.test',
      session: ticketOf(visited),
    });
    expect(replayed.received).toBe(falls ? 'authorized as app, resumed' : '');
  });

  it('opens nothing on ours, in whichever direction', async () => {
    await using server = await ourServer(version, {
      credentials: createCredentials({ ...world.server.material, ca: third.authority.root }),
      clientCertificates: 'require',
      sni: {
        'a.test': { credentials: world.server },
        '*.b.test': { credentials: other.server },
        'c.test': { credentials: world.server },
      },
    });
    const client = bare(world.client);
    const at = (servername: string, session?: Buffer) =>
      visit(portOf(server), { ...client, servername, ...(session && { session }) });
    const visited = await at('a.test');
    expect(visited.received).toBe('admitted app\n');
    const session = ticketOf(visited);
    expect((await at('a.test', session)).received).toBe('admitted app, resumed\n');
    for (const name of ['x.b.test', 'unknown.test']) {
      expect(await at(name, session)).toMatchObject({ resumed: false, received: '' });
    }
    // A name with the same certificate and the same CAs is a domain of its own all the same.
    expect((await at('c.test', session)).received).toBe('admitted app\n');
  });
});

let third: World;
beforeAll(async () => {
  third = await createWorld('Third CA');
});
