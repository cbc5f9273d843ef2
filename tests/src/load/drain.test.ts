import { connect, listen, serve, type SecureConnection } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bareSocket, gone } from '../support/bare-socket.js';
import { knsockPeer } from '../support/hand-made-peer.js';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

function at() {
  return { port: 0, host: '127.0.0.1', credentials: world.server };
}

function client(port: number): Promise<SecureConnection> {
  return connect({ host: 'localhost', port, credentials: world.anonymous });
}

describe('closing a server', () => {
  it('answers what was begun, begins nothing more, and ends cleanly', async () => {
    using heard = hear('knsock:drain');
    let finish: ((answer: string) => void) | undefined;
    const server = await serve(at(), () => new Promise<string>((resolve) => (finish = resolve)));
    const port = portOf(server);
    const asker = await client(port);
    const begun = asker.request('begun');
    await vi.waitFor(() => expect(finish).toBeDefined());
    const draining = new Promise<void>((resolve) => {
      asker.onDraining(resolve);
    });
    const closed = server.close({ deadline: 60_000 });
    await draining;
    await expect(asker.request('too late')).rejects.toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
    await expect(client(port)).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_REFUSED' });
    finish?.('done');
    expect(String(await begun)).toBe('done');
    await closed;
    expect(await asker.closed).toEqual({ clean: true });
    expect(heard.events).toEqual([{ connections: 1, deadline: 60_000 }]);
  });

  it("cuts off at its deadline what doesn't finish", async () => {
    const server = await serve(at(), () => new Promise<string>(() => undefined));
    const asker = await client(portOf(server));
    const answer = expect(asker.request('never answered')).rejects.toThrow();
    const [there] = await vi.waitUntil(() => {
      const connections = [...server.connections()];
      return connections[0]?.stats().requestsHandled === 1 && connections;
    });
    await server.close({ deadline: 100 });
    await answer;
    expect(await there?.closed).toMatchObject({ error: { code: 'KNSOCK_DRAIN_TIMEOUT', ms: 100 } });
  });

  it('keeps its own deadline where a connection was given more time before', async () => {
    const server = await listen(at(), (connection) => {
      connection.onRequest(() => new Promise<string>(() => undefined));
    });
    const asker = await client(portOf(server));
    const answer = expect(asker.request('never answered')).rejects.toThrow();
    const [there] = await vi.waitUntil(() => {
      const connections = [...server.connections()];
      return connections[0]?.stats().requestsHandled === 1 && connections;
    });
    void there?.close({ deadline: 600_000 });
    await server.close({ deadline: 100 });
    await answer;
    expect(await there?.closed).toMatchObject({ error: { code: 'KNSOCK_DRAIN_TIMEOUT' } });
  });

  it("waits for no silent socket, and for no peer that doesn't end in turn", async () => {
    const server = await listen({ ...at(), handshakeTimeout: 600_000 }, () => undefined);
    const silent = await bareSocket(portOf(server));
    const deaf = await knsockPeer(portOf(server));
    await vi.waitFor(() => expect(server.stats()).toMatchObject({ connections: 1, pendingHandshakes: 1 }));
    await server.close({ deadline: 200 });
    await gone(silent);
    expect(server.stats()).toMatchObject({ connections: 0, pendingHandshakes: 0 });
    deaf.destroy();
  });

  it('is one promise, and refuses a deadline that is none', async () => {
    const server = await listen(at(), () => undefined);
    await expect(server.close({ deadline: Number.POSITIVE_INFINITY })).rejects.toThrow(
      expect.objectContaining({ code: 'KNSOCK_INVALID_OPTION', option: 'deadline' }),
    );
    expect(server.close({ deadline: 0 })).toBe(server.close());
    await server.close();
  });
});

describe('maxLifetime', () => {
  it('ends connections by agreement, not all at once', async () => {
    const lifetime = 1_000;
    await using server = await listen({ ...at(), maxLifetime: lifetime }, (connection) => {
      connection.onRequest(({ payload }) => payload);
    });
    const started = performance.now();
    const clients = await Promise.all(Array.from({ length: 8 }, () => client(portOf(server))));
    const lives = await Promise.all(
      clients.map(async ({ closed }) => {
        expect(await closed).toEqual({ clean: true });
        return performance.now() - started;
      }),
    );
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(0.9 * lifetime - 1);
    expect(new Set(lives.map((life) => Math.round(life))).size).toBeGreaterThan(1);
  });
});
