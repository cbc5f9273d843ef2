import { getEventListeners } from 'node:events';
import { connect, serve, type SecureServer } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const start = (signal: AbortSignal): Promise<SecureServer> =>
  serve({ port: 0, host: '127.0.0.1', credentials: world.server, signal }, ({ payload }) => payload);

describe('the signal of a server', () => {
  it('closes it', async () => {
    const controller = new AbortController();
    const server = await start(controller.signal);
    const client = await connect({
      host: 'localhost',
      port: portOf(server),
      credentials: world.anonymous,
    });
    controller.abort();
    expect(await client.closed).toMatchObject({ clean: true });
    await server.close();
  });

  it('is respected while the server is about to listen', async () => {
    const controller = new AbortController();
    const starting = start(controller.signal);
    controller.abort(new Error('changed my mind'));
    await expect(starting).rejects.toThrow('changed my mind');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('holds no reference to a server that closed on its own', async () => {
    const { signal } = new AbortController();
    const server = await start(signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await server.close();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
