import { connect, lines, serve, type ConnectOptions } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { hear } from '../support/heard.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const server = (options: object = {}) =>
  serve({ port: 0, host: '127.0.0.1', credentials: world.server, ...options }, ({ payload }) => {
    if (String(payload) === 'fail') throw new Error('on purpose');
    if (String(payload) === 'number') return 42 as unknown as string;
    return payload;
  });
const reach = (port: number, options: Partial<ConnectOptions> = {}) =>
  connect({ host: 'localhost', port, credentials: world.client, resume: false, ...options });

describe('what the channels publish', () => {
  it('is the handshake and the verification, on both sides', async () => {
    using handshakes = hear('knsock:handshake');
    using verdicts = hear('knsock:verdict');
    await using serving = await server({ clientCertificates: 'require' });
    await (await reach(portOf(serving))).close();
    const byRole = (events: Record<string, unknown>[]) =>
      [...events].sort((one, other) => String(one['role']).localeCompare(String(other['role'])));
    expect(byRole(handshakes.events)).toMatchObject([
      { role: 'client', address: `localhost:${portOf(serving)}`, version: 'TLSv1.3', resumed: false },
      { role: 'server', version: 'TLSv1.3', resumed: false },
    ]);
    expect(byRole(verdicts.events)).toMatchObject([
      { role: 'client', ok: true, reason: null, subject: 'CN=localhost' },
      { role: 'server', ok: true, reason: null, subject: expect.stringContaining('CN=app') as string },
    ]);
  });

  it('is each request on both sides, and whether it succeeded', async () => {
    using requests = hear('knsock:request');
    await using serving = await server();
    const connection = await reach(portOf(serving));
    await connection.request('x');
    await expect(connection.request('fail')).rejects.toThrow();
    await connection.close();
    const told = requests.events.map(({ direction, ok }) => `${String(direction)} ${String(ok)}`).sort();
    expect(told).toEqual(['in false', 'in true', 'out false', 'out true']);
    const thrown = requests.events.find(({ direction, ok }) => direction === 'in' && ok === false)?.['error'];
    expect(String(thrown)).toBe('Error: on purpose');
    expect(requests.events.every(({ ms }) => Number(ms) >= 0)).toBe(true);
  });

  it("is an answer that can't be sent, with the reason", async () => {
    using requests = hear('knsock:request');
    await using serving = await server();
    const connection = await reach(portOf(serving));
    await expect(connection.request('number')).rejects.toThrow();
    const [answered] = requests.events.filter(({ direction }) => direction === 'in');
    expect(answered).toMatchObject({ ok: false, error: { code: 'KNSOCK_INVALID_OPTION' } });
    await connection.close();
  });

  it('is each message on a framing without ids, with its size', async () => {
    using messages = hear('knsock:message');
    await using serving = await server({ framing: lines() });
    const connection = await reach(portOf(serving), { framing: lines() });
    await connection.request('12345');
    await connection.close();
    expect(messages.events.map(({ direction, bytes }) => [direction, bytes])).toEqual([
      ['out', 5],
      ['in', 5],
      ['out', 5],
      ['in', 5],
    ]);
  });

  it('is a connected peer that is no longer trusted', async () => {
    await using serving = await server({ clientCertificates: 'require' });
    const connection = await reach(portOf(serving));
    using verdicts = hear('knsock:verdict');
    await serving.rotate({ authorize: { commonNames: ['other'] } });
    await connection.closed;
    expect(verdicts.events).toMatchObject([{ role: 'server', ok: false, reason: 'not-allowed' }]);
  });

  it('is the drain', async () => {
    using drains = hear('knsock:drain');
    const serving = await server();
    const connection = await reach(portOf(serving));
    await connection.request('x');
    await serving.close({ deadline: 1_000 });
    await connection.closed;
    expect(drains.events).toEqual([{ connections: 1, deadline: 1_000 }]);
  });

  it('is the key log, only while it has subscribers', async () => {
    await using serving = await server();
    const before = await reach(portOf(serving));
    expect(before.socket.listenerCount('keylog')).toBe(0);
    await before.close();
    {
      using keys = hear('knsock:keylog');
      await (await reach(portOf(serving))).close();
      const lines = keys.events.map(
        ({ role, line }) => `${String(role)} ${String(line).split(' ')[0] ?? ''}`,
      );
      expect(lines).toContain('client CLIENT_TRAFFIC_SECRET_0');
      expect(lines).toContain('server CLIENT_TRAFFIC_SECRET_0');
    }
    const after = await reach(portOf(serving));
    expect(after.socket.listenerCount('keylog')).toBe(0);
    await after.close();
  });
});
