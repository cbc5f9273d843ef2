import { connect as tlsConnect } from 'node:tls';
import { connect, createCredentials, knsock, lines, listen, serve, type Credentials } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { bare, versions, visit } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
let other: World;
let entries: Record<'exact' | 'wild' | 'idn', Credentials>;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
  const issue = async (name: string) => {
    const { chain, key } = await world.authority.issue({ kind: 'server', names: [name], days: 7 });
    return createCredentials({ cert: chain, key, ca: other.authority.root });
  };
  entries = {
    exact: await issue('a.test'),
    wild: await issue('*.wild.test'),
    idn: await issue('bücher.test'),
  };
});

const listening = (options: object = {}) =>
  listen(
    {
      port: 0,
      host: '127.0.0.1',
      framing: lines(),
      credentials: world.server,
      sni: {
        'A.test': { credentials: entries.exact },
        '*.wild.test': { credentials: entries.wild, clientCertificates: 'require' },
        'bücher.test': { credentials: entries.idn },
      },
      ...options,
    },
    (connection) => {
      connection.write(
        `${connection.tls.servername ?? 'no name'} ${connection.peer?.commonNames[0] ?? 'nobody'}`,
      );
      void connection.close();
    },
  );

describe('names', () => {
  it.each([
    ['a.test', 'a.test'],
    ['A.TEST', 'a.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['unknown.test', null],
    ['deep.a.test', null],
  ])('give %s its own certificate, or the default', async (asked, expected) => {
    await using server = await listening();
    const connecting = connect({
      host: '127.0.0.1',
      port: portOf(server),
      servername: asked,
      framing: lines(),
      credentials: world.anonymous,
    });
    if (expected === null) {
      await expect(connecting).rejects.toMatchObject({
        code: 'KNSOCK_PEER_WRONG_NAME',
        certificate: { names: ['localhost', '127.0.0.1', '::1'] },
      });
      return;
    }
    const connection = await connecting;
    expect(connection.peer?.dnsNames).toEqual([expected]);
    expect(String(await connection.receive()).toLowerCase()).toBe(`${expected} nobody`);
    await connection.close();
  });

  it('have their own client CA and requirements', async () => {
    await using server = await listening();
    const at = (servername: string, client: Credentials) =>
      visit(portOf(server), { ...bare(client), servername, ca: world.authority.root });
    expect((await at('x.wild.test', other.client)).received).toBe('x.wild.test app\n');
    expect((await at('x.wild.test', world.client)).received).toBe('');
    expect((await at('x.wild.test', world.anonymous)).received).toBe('');
    expect((await at('y.x.wild.test', world.anonymous)).received).toBe('y.x.wild.test nobody\n');
    expect((await at('wild.test', world.anonymous)).received).toBe('wild.test nobody\n');
  });

  it.each(versions)('are known on a resumed connection over %s', async (version) => {
    await using server = await listening({ profile: { minVersion: version, maxVersion: version } });
    const options = { ...bare(world.anonymous), servername: 'a.test' };
    const first = await visit(portOf(server), options);
    const again = await visit(portOf(server), { ...options, session: first.sessions.at(-1) });
    expect(again).toMatchObject({ resumed: true, received: 'a.test nobody\n' });
  });

  it('that are unknown are refused with the unrecognized_name alert, where configured', async () => {
    await using server = await listening({ unknownName: 'refuse' });
    const options = { ...bare(world.anonymous), servername: 'unknown.test' };
    expect((await visit(portOf(server), options)).error).toMatch(/UNRECOGNIZED_NAME/);
    const { servername: _none, ...nameless } = options;
    expect((await visit(portOf(server), nameless)).received).toBe('no name nobody\n');
    await expect(
      connect({ host: '127.0.0.1', port: portOf(server), servername: 'unknown.test', framing: lines() }),
    ).rejects.toMatchObject({ code: 'KNSOCK_HANDSHAKE_UNKNOWN_NAME' });
  });

  it('are read from a ClientHello that comes byte by byte', async () => {
    const { createServer, connect: tcpConnect } = await import('node:net');
    await using server = await listening({ unknownName: 'refuse' });
    const relay = createServer((down) => {
      const up = tcpConnect(portOf(server), '127.0.0.1').setNoDelay();
      let first = true;
      down.on('data', (chunk) => {
        const pieces = first
          ? Array.from({ length: chunk.length }, (_, at) => chunk.subarray(at, at + 1))
          : [chunk];
        first = false;
        for (const piece of pieces) up.write(piece);
      });
      up.pipe(down);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => relay.once('listening', resolve));
    const { port } = relay.address() as { port: number };
    const visited = await visit(port, { ...bare(world.anonymous), servername: 'a.test' });
    relay.close();
    expect(visited.received).toBe('a.test nobody\n');
  });
});

describe('several framings on one port', () => {
  it('are distinguished by ALPN', async () => {
    await using server = await serve(
      { port: 0, host: '127.0.0.1', credentials: world.server, framing: [knsock(), lines()] as never },
      ({ payload, connection }) => `${connection.tls.alpn ?? 'none'}: ${String(payload)}`,
    );
    const reach = { host: 'localhost', port: portOf(server), credentials: world.anonymous };
    const framed = await connect({ ...reach, framing: knsock() });
    const plain = await connect({ ...reach, framing: lines() });
    expect(String(await framed.request('x'))).toBe('knsock/1: x');
    expect(String(await plain.request('x'))).toBe('none: x');
    await Promise.all([framed.close(), plain.close()]);
    const wrong = tlsConnect({
      port: portOf(server),
      host: '127.0.0.1',
      ca: world.authority.root,
      servername: 'localhost',
      ALPNProtocols: ['h2'],
    });
    const error = await new Promise<Error>((resolve) => wrong.once('error', resolve));
    expect(error.message).toContain('alert number 120');
  });
});
