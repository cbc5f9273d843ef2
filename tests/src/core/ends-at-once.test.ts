/** Ends before or during the first turn of a handler: nothing is lost, and each failure is reported. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import {
  connect,
  json,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  serve,
  type Framing,
  type SecureConnection,
} from '@knsock/core';
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

describe('a first message that comes together with the end of the handshake', () => {
  /** What a bare client sees that writes before its handshake is done. */
  const bareVisit = async (server: Parameters<typeof portOf>[0], first: string) => {
    const socket = connectTls({ host: '127.0.0.1', port: portOf(server), rejectUnauthorized: false });
    let tickets = 0;
    socket.on('session', () => (tickets += 1));
    socket.on('error', () => undefined);
    socket.resume().write(first);
    await new Promise((ended) => socket.once('close', ended));
    return tickets;
  };

  it('reaches its listener in the same turn', { timeout: SOON }, async () => {
    const events: string[] = [];
    const shaken = (): void => {
      events.push('handshake');
      setImmediate(() => events.push('next turn'));
    };
    subscribe('knsock:handshake', shaken);
    try {
      await using server = await listen({ ...local(), framing: lines() }, (connection) => {
        connection.onMessage((message) => {
          events.push(message.toString());
          void connection.close();
        });
      });
      await bareVisit(server, 'hello\n');
    } finally {
      unsubscribe('knsock:handshake', shaken);
    }
    expect(events).toEqual(['handshake', 'hello', 'next turn']);
  });

  it.each<[string, (connection: SecureConnection) => void, string]>([
    ['whose handler destroys the connection', (connection) => connection.destroy(), 'hello\n'],
    [
      'whose handler throws',
      () => {
        throw new Error('broken');
      },
      'hello\n',
    ],
    [
      'whose listener destroys the connection',
      (connection) => {
        connection.onMessage(() => {
          connection.destroy();
        });
      },
      'hello\n',
    ],
    ['that is too long', (connection) => connection.onMessage(() => undefined), 'x'.repeat(2_000)],
  ])("doesn't make an end look like a refusal: %s", { timeout: SOON }, async (_, handler, first) => {
    const settings = { ...local(), framing: lines(), maxMessageBytes: 1_000, onError: () => undefined };
    await using server = await listen(settings, handler);
    expect(await bareVisit(server, first)).toBeGreaterThan(0);
  });
});
