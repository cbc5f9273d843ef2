import { EventEmitter, once } from 'node:events';
import {
  connect,
  createCredentials,
  EasySocketError,
  serve,
  type Credentials,
  type SecureConnection,
} from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { collectGarbage } from '../support/collect-garbage.js';
import { tlsPeer, welcome } from '../support/hand-made-peer.js';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = await Promise.all([createWorld(), createWorld('Other CA')]);
});

const server = (options: object = {}) =>
  serve(
    { port: 0, host: '127.0.0.1', credentials: world.server, clientCertificates: 'require', ...options },
    ({ payload }) => payload,
  );
type Server = Awaited<ReturnType<typeof server>>;
const reach = (to: Server, credentials: Credentials, options: object = {}) =>
  connect({ host: 'localhost', port: portOf(to), credentials, ...options });

/** The world's certificate and key, trusting the CAs given. */
const serverTrusting = (...worlds: World[]) =>
  createCredentials({ ...world.server.material, ca: worlds.map(({ authority }) => authority.root) });

async function newCertificate(): Promise<Credentials> {
  const { chain, key } = await world.authority.issue({ kind: 'server', names: ['localhost'], days: 7 });
  return createCredentials({ cert: chain, key, ca: world.authority.root });
}

describe('server.rotate', () => {
  it('presents a new certificate to new connections, and keeps established ones', async () => {
    await using rotating = await server();
    const before = await reach(rotating, world.client, { resume: false });
    const next = await newCertificate();
    await rotating.rotate(next);
    const after = await reach(rotating, world.client, { resume: false });
    expect(after.peer?.serial).toBe(next.certificate?.serial);
    expect(before.peer?.serial).not.toBe(next.certificate?.serial);
    expect(String(await before.request('x'))).toBe('x');
    await Promise.all([before.close(), after.close()]);
  });

  it('admits clients of a new CA and disconnects those of an old one', async () => {
    await using rotating = await server();
    const mine = await reach(rotating, world.client);
    const theirs = createCredentials({ ...other.client.material, ca: world.authority.root });
    await expect(reach(rotating, theirs)).rejects.toMatchObject({ reason: 'unknown-issuer' });
    await rotating.rotate(serverTrusting(world, other));
    const both = await reach(rotating, theirs);
    expect(mine.state).toBe('open');
    await rotating.rotate(serverTrusting(other));
    expect((await mine.closed).error).toMatchObject({ reason: 'unknown-issuer' });
    expect(String(await both.request('x'))).toBe('x');
    await expect(reach(rotating, world.client)).rejects.toMatchObject({ reason: 'unknown-issuer' });
    await both.close();
  });

  it('replaces the map of names as a whole; peers of a removed name are verified by the default rules', async () => {
    const entry = { credentials: await newCertificate(), clientCertificates: 'none' } as const;
    await using rotating = await server({ sni: { localhost: entry, 'a.test': entry } });
    const anonymous = await reach(rotating, world.anonymous);
    await rotating.rotate({ sni: { 'a.test': entry } });
    expect((await anonymous.closed).error).toMatchObject({ reason: 'no-certificate' });
    await rotating.rotate({ sni: null });
    await expect(reach(rotating, world.anonymous)).rejects.toMatchObject({ reason: 'no-certificate' });
  });

  it('disconnects peers of a removed name where unknown names are refused', async () => {
    const entry = { credentials: await newCertificate() };
    await using rotating = await server({ sni: { localhost: entry }, unknownName: 'refuse' });
    const connected = await reach(rotating, world.client);
    await vi.waitFor(() => expect(rotating.connections()).toHaveLength(1));
    const [ofServer] = rotating.connections();
    await rotating.rotate({ sni: { 'a.test': entry } });
    expect((await ofServer?.closed)?.error).toMatchObject({ code: 'KNSOCK_HANDSHAKE_UNKNOWN_NAME' });
    expect((await connected.closed).clean).toBe(false);
    await expect(reach(rotating, world.client)).rejects.toMatchObject({ reason: 'unknown-name' });
  });

  it('disconnects, by a CLOSE frame, a peer whose name is removed before it has sent its WELCOME', async () => {
    const entry = { credentials: await newCertificate() };
    const options = { sni: { localhost: entry }, unknownName: 'refuse', clientCertificates: 'none' };
    await using rotating = await server(options);
    const peer = await tlsPeer(portOf(rotating), { servername: 'localhost', ALPNProtocols: ['knsock/1'] });
    const received: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => received.push(chunk));
    await once(peer, 'data');
    await rotating.rotate({ sni: { 'a.test': entry } });
    received.length = 0;
    peer.write(welcome);
    await once(peer, 'end');
    expect(Buffer.concat(received).length).toBeGreaterThan(0);
    peer.destroy();
  });

  it('admits nobody under a name that is removed while the client is verified', async () => {
    const begun = new EventEmitter();
    const authorize = () =>
      new Promise<boolean>((resolve) => {
        begun.emit('asked', resolve);
      });
    const entry = { credentials: await newCertificate(), authorize };
    await using rotating = await server({ sni: { localhost: entry }, unknownName: 'refuse' });
    const asked = once(begun, 'asked');
    const connecting = expect(reach(rotating, world.client)).rejects.toThrow();
    const [admit] = (await asked) as [(admits: boolean) => void];
    await rotating.rotate({ sni: { 'a.test': { credentials: entry.credentials } } });
    admit(true);
    await connecting;
    expect(rotating.stats()).toMatchObject({ admitted: 0, refusedPeers: 1 });
  });

  it('adds and removes pins', async () => {
    await using rotating = await server();
    const connection = await reach(rotating, world.client);
    await rotating.rotate({ pins: [world.client.certificate?.spkiPin as string] });
    expect(connection.state).toBe('open');
    await rotating.rotate({ pins: [other.client.certificate?.spkiPin as string] });
    expect((await connection.closed).error).toMatchObject({ reason: 'pin-mismatch' });
    await rotating.rotate({ pins: null });
    await (await reach(rotating, world.client)).close();
  });

  it('verifies every peer again, while some leave', { timeout: 60_000 }, async () => {
    let changed: () => void = () => undefined;
    const source = {
      current: world.server,
      onChange: (listener: () => void) => {
        changed = listener;
        return () => undefined;
      },
    };
    for (const way of ['rotate', 'a source that changed'] as const) {
      const leaving: SecureConnection[] = [];
      await using rotating = await server({ credentials: source });
      await Promise.all(Array.from({ length: 150 }, () => reach(rotating, world.client)));
      await vi.waitFor(() => expect(rotating.stats().connections).toBe(150));
      leaving.push(...rotating.connections());
      // One of the next batch leaves while the first is verified.
      const authorize = () => {
        leaving.splice(Math.floor(leaving.length / 2), 1)[0]?.destroy();
        return false;
      };
      if (way === 'rotate') await rotating.rotate({ authorize });
      else {
        await rotating.rotate({ authorize: () => true });
        source.current = serverTrusting(other);
        leaving[100]?.destroy();
        changed();
      }
      await vi.waitFor(() => expect(rotating.stats().connections).toBe(0));
      source.current = world.server;
    }
  });

  it("verifies connected peers of a name by that name's rules, once it has some", async () => {
    await using rotating = await server({ clientCertificates: 'none' });
    const named = await reach(rotating, world.anonymous);
    const other = await reach(rotating, world.anonymous, { servername: '127.0.0.1' });
    const entry = { credentials: world.server, clientCertificates: 'require' } as const;
    await rotating.rotate({ sni: { localhost: entry } });
    expect((await named.closed).error).toMatchObject({ reason: 'no-certificate' });
    expect(String(await other.request('x'))).toBe('x');
    await other.close();
  });

  it("changes nothing where one part can't be used, and reports it", async () => {
    using heard = hear('knsock:rotation');
    await using rotating = await server();
    const connection = await reach(rotating, world.client);
    const bad = [
      world.anonymous,
      { credentials: world.server, sni: { 'not a name!': { credentials: world.server } } },
      { authorize: { commonNames: ['app'] }, pins: ['sha1/x'] },
    ];
    for (const next of bad) {
      await expect(rotating.rotate(next as Credentials)).rejects.toBeInstanceOf(EasySocketError);
    }
    expect(heard.events.map(({ by, ok }) => [by, ok])).toEqual(bad.map(() => ['server', false]));
    expect(rotating.stats().rotations).toBe(0);
    expect(String(await connection.request('x'))).toBe('x');
    await connection.close();
  });

  it(
    'loses no request in 500 rotations under constant load, and leaks nothing',
    { timeout: 60_000 },
    async () => {
      const set = await Promise.all([1, 2, 3, 4].map(newCertificate));
      await using rotating = await server();
      await rotating.rotate(set[0] as Credentials);
      const keepers = await Promise.all([1, 2, 3, 4].map(() => reach(rotating, world.client)));
      let rotations = 0;
      const asking = keepers.map((connection) => askUntil(connection, () => rotations >= 500));
      const coming = comeAndGo(rotating, () => rotations >= 500);
      while (rotations < 500) {
        rotations += 1;
        await rotating.rotate(set[rotations % set.length] as Credentials);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const answered = (await Promise.all(asking)).reduce((sum, count) => sum + count, 0);
      expect(answered).toBeGreaterThan(500);
      expect(await coming).toBeGreaterThan(0);
      expect(rotating.stats()).toMatchObject({ rotations: 501, failedHandshakes: 0, refusedPeers: 0 });
      await Promise.all(keepers.map((connection) => connection.close()));
      await vi.waitFor(() => {
        expect(rotating.stats().connections).toBe(0);
      });
    },
  );

  async function askUntil(connection: SecureConnection, done: () => boolean): Promise<number> {
    let count = 0;
    for (; !done(); count += 1) expect(String(await connection.request(`${count}`))).toBe(`${count}`);
    return count;
  }

  async function comeAndGo(to: Server, done: () => boolean): Promise<number> {
    let count = 0;
    for (; !done(); count += 1) {
      const connection = await reach(to, world.client);
      expect(String(await connection.request('x'))).toBe('x');
      await connection.close();
    }
    return count;
  }

  it('keeps neither timers, listeners nor virtual hosts of what it replaced', async () => {
    const listeners = new Set<unknown>();
    const source = (current: Credentials) => ({
      current,
      onChange: (listener: unknown) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    });
    await using rotating = await server({ credentials: source(world.server) });
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const set = await newCertificate();
    const before = timers();
    const rotate = async (times: number) => {
      for (let at = 0; at < times; at += 1) await rotating.rotate({ credentials: source(set) });
    };
    await rotate(50);
    collectGarbage();
    const warm = process.memoryUsage();
    await rotate(450);
    collectGarbage();
    const grown = process.memoryUsage();
    expect(listeners.size).toBe(1);
    expect(timers()).toBe(before);
    expect(grown.rss - warm.rss).toBeLessThan(24 * 1_048_576);
    expect(grown.heapUsed - warm.heapUsed).toBeLessThan(4 * 1_048_576);
  });
});
