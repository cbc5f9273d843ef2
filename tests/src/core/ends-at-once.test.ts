/** Ends before or during the first turn of a handler: nothing is lost, and each failure is reported. */
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import { connect, json, knsock, lengthPrefixed, lines, listen, serve, type Framing } from '@knsock/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const SOON = 8_000;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

describe.each<[string, () => Framing]>([
  ['knsock', () => knsock()],
  ['lines', () => lines()],
])('a request handler on %s', (_, framing) => {
  it.each(['at once', 'later'] as const)(
    'whose first act is to close its connection still answers, %s',
    { timeout: SOON },
    async (when) => {
      await using server = await serve({ ...local(), framing: framing() }, ({ connection }) => {
        void connection.close();
        return when === 'at once' ? 'bye' : turn().then(() => 'bye');
      });
      const client = await connect({ ...to(server), framing: framing() });
      expect(String(await client.request('quit'))).toBe('bye');
      expect((await client.closed).error).toBeUndefined();
    },
  );

  it('whose first act is to close its server still answers', { timeout: SOON }, async () => {
    const server = await serve({ ...local(), framing: framing() }, () => {
      void server.close();
      return 'bye';
    });
    const client = await connect({ ...to(server), framing: framing() });
    expect(String(await client.request('quit'))).toBe('bye');
    await server.close();
  });

  it('whose first act is to destroy its connection learns so by its signal', { timeout: SOON }, async () => {
    let told!: (reason: unknown) => void;
    const reason = new Promise((resolve) => (told = resolve));
    await using server = await serve(
      { ...local(), framing: framing(), onError: () => undefined },
      async ({ connection, signal }) => {
        connection.destroy();
        if (!signal.aborted) await once(signal, 'abort');
        told(signal.reason);
        return 'nobody';
      },
    );
    const client = await connect({ ...to(server), framing: framing(), onError: () => undefined });
    await expect(client.request('quit')).rejects.toThrow();
    expect(await reason).toBeInstanceOf(Error);
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('first bytes that break the framing, over %s', (version) => {
  it.each<[string, () => Framing, Buffer, string[], string]>([
    ['cut short', () => lines(), Buffer.from('one\ntwo\nthree'), ['one', 'two'], 'KNSOCK_TRUNCATED_MESSAGE'],
    [
      'too large',
      () => lengthPrefixed(),
      Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from('one'), Buffer.from([0x7f, 255, 255, 255])]),
      ['one'],
      'KNSOCK_MESSAGE_TOO_LARGE',
    ],
    ['not JSON', () => json(lines()) as never, Buffer.from('"one"\n{{\n'), ['one'], 'KNSOCK_'],
  ])(
    '%s: what came before is received, and the failure is reported',
    { timeout: SOON },
    async (_, framing, bytes, messages, code) => {
      const received: string[] = [];
      const errors: Error[] = [];
      let ended!: (closed: unknown) => void;
      const closed = new Promise((resolve) => (ended = resolve));
      await using server = await listen(
        { ...local(), framing: framing(), onError: (error) => void errors.push(error) },
        async (connection) => {
          void connection.closed.then(ended);
          for await (const message of connection) received.push(String(message));
        },
      );
      const peer = connectTls({
        port: portOf(server),
        host: '127.0.0.1',
        maxVersion: version,
        rejectUnauthorized: false,
      });
      peer.on('error', () => undefined);
      peer.once('secureConnect', () => {
        peer.end(bytes);
      });
      peer.resume();
      expect(await closed).toMatchObject({ clean: false });
      await expect.poll(() => errors).toMatchObject([{ code: expect.stringContaining(code) as string }]);
      expect(received).toEqual(messages);
    },
  );
});
