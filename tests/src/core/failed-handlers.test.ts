/** A handler that fails midway on a framing without a CLOSE frame: what it sent arrives, and its peer takes the rest for no end. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTls } from 'node:tls';
import {
  connect,
  json,
  lengthPrefixed,
  lines,
  listen,
  raw,
  serve,
  type Framing,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const servers: SecureServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close({ deadline: 0 })));
});

/** Far below any deadline that ends a connection, and far above what a busy machine takes, in milliseconds. */
const SOON = 8_000;

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server, onError: () => undefined });

async function server(
  framing: Framing<never, never>,
  handler: Parameters<typeof listen<never, never>>[1],
  options: object = {},
): Promise<number> {
  const made = await listen<never, never>({ ...local(), ...options, framing }, handler);
  servers.push(made);
  return portOf(made);
}

const to = (port: number) => ({
  host: 'localhost',
  port,
  credentials: world.anonymous,
  onError: () => undefined,
});

const broken = { clean: false, error: { code: 'KNSOCK_CONNECTION_RESET' } };
const boom = (): never => {
  throw new Error('the disk is full');
};

const framings: readonly [string, () => Framing<never, never>][] = [
  ['lines', lines as never],
  ['json', (() => json(lines())) as never],
  ['length-prefixed', lengthPrefixed as never],
  ['raw', raw as never],
];

describe.each(framings)('on %s', (_, framing) => {
  it('a handler that throws right after a send loses nothing of it', { timeout: SOON }, async () => {
    const port = await server(framing(), async (connection) => {
      await connection.send('bye' as never);
      boom();
    });
    const client = await connect({ ...to(port), framing: framing() });
    let heard = '';
    await expect(
      (async () => {
        for await (const message of client) heard += String(message);
      })(),
    ).rejects.toMatchObject(broken.error);
    expect(heard).toBe('bye');
    expect(await client.closed).toMatchObject(broken);
  });

  it(
    'a listener that fails is no end to its peer, who still gets what was sent before',
    { timeout: SOON },
    async () => {
      const port = await server(framing(), (connection) => {
        connection.onMessage(async (message) => {
          await connection.send(message);
          boom();
        });
      });
      const client = await connect({ ...to(port), framing: framing() });
      await client.send('echo' as never);
      expect(String(await client.receive())).toBe('echo');
      expect(await client.closed).toMatchObject(broken);
    },
  );

  it('a slow peer still gets all that was accepted before the failure', { timeout: 4 * SOON }, async () => {
    const message = (index: number) => `${index}`.padStart(10_000, '.');
    const count = 1_000;
    let accepted: SecureConnection<never, never> | undefined;
    const port = await server(
      framing(),
      (connection) => {
        accepted = connection;
        for (let index = 0; index < count; index += 1) connection.write(message(index) as never);
        boom();
      },
      { maxQueuedBytes: 100_000_000 },
    );
    const client = await connect({ ...to(port), framing: framing() });
    client.pause();
    let bytes = 0;
    client.onMessage((text) => {
      bytes += String(text).length;
    });
    await expect.poll(() => accepted?.state).toBe('closed');
    client.resume();
    expect(await client.closed).toMatchObject(broken);
    expect(bytes).toBe(count * 10_000);
  });
});

it('a request handler that fails on lines lets the answers before it arrive', { timeout: SOON }, async () => {
  const made = await serve({ ...local(), framing: lines() }, ({ payload }) =>
    String(payload) === 'fails' ? boom() : `${String(payload)}!`,
  );
  servers.push(made);
  const client = await connect({ ...to(portOf(made)), framing: lines() });
  const asked = ['one', 'two', 'fails'].map((text) => client.request(text));
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(await client.closed).toMatchObject(broken);
});

it('a client whose listener fails is heard by the server', { timeout: SOON }, async () => {
  let closed: Promise<unknown> | undefined;
  const port = await server(lines() as never, (connection) => {
    closed = connection.closed;
    connection.write('go' as never);
  });
  const client = await connect({ ...to(port), framing: lines() });
  client.onMessage(boom);
  await client.closed;
  expect(await closed).toMatchObject(broken);
});

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a handler that throws amid what its peer sends breaks off under %s, too',
  { timeout: SOON },
  async (maxVersion) => {
    const port = await server(raw() as never, async (connection) => {
      await connection.receive();
      boom();
    });
    for (let n = 0; n < 10; n += 1) {
      const client = await connect({ ...to(port), framing: raw(), profile: { maxVersion } });
      for (let part = 0; part < 20; part += 1) client.write(Buffer.alloc(100_000));
      expect(await client.closed).toMatchObject(broken);
    }
  },
);

describe('a stream whose handler fails', () => {
  it('delivers what was written, and is no end to its peer', { timeout: SOON }, async () => {
    const port = await server(raw() as never, async (connection) => {
      const stream = connection.stream();
      stream.write(Buffer.alloc(3_000_000, 'a'));
      stream.write('last');
      await Promise.resolve();
      boom();
    });
    const stream = (await connect({ ...to(port), framing: raw() })).stream();
    let heard = 0;
    await expect(
      (async () => {
        for await (const chunk of stream) heard += (chunk as Buffer).length;
      })(),
    ).rejects.toMatchObject(broken.error);
    expect(heard).toBe(3_000_004);
  });

  it('that had ended its own direction is complete', { timeout: SOON }, async () => {
    const port = await server(raw() as never, async (connection) => {
      const stream = connection.stream();
      stream.end('complete');
      await once(stream, 'finish');
      boom();
    });
    const stream = (await connect({ ...to(port), framing: raw() })).stream();
    let heard = '';
    for await (const chunk of stream) heard += String(chunk);
    expect(heard).toBe('complete');
    stream.end();
  });
});

it(
  'a peer that had ended its own direction is reset, once it had the time to read',
  { timeout: SOON },
  async () => {
    const port = await server(lines() as never, async (connection) => {
      for await (const message of connection) await connection.send(message);
      await connection.send('bye' as never);
      boom();
    });
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.end('hello\n');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect([heard, error.code]).toEqual(['hello\nbye\n', 'ECONNRESET']);
  },
);

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'OpenSSL sees an alert under %s, behind the bytes that were sent',
  { timeout: SOON },
  async (maxVersion) => {
    const port = await server(
      lines() as never,
      async (connection) => {
        await connection.send('bye' as never);
        boom();
      },
      { profile: { minVersion: 'TLSv1.2' } },
    );
    const version = maxVersion === 'TLSv1.2' ? '-tls1_2' : '-tls1_3';
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', '-ign_eof', version];
    const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
      execFile('openssl', args, (_error, out, err) => {
        resolve({ stdout: out, stderr: err });
      });
    });
    expect(stdout).toBe('bye\n');
    expect(stderr).toMatch(/SSL alert number (10|20|80)/);
  },
);
