/** A handler that reads its stream in a loop: what its peer sees where the loop ends, and where it is left. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect, listen, raw, type SecureConnection, type SecureServer } from '@knsock/core';
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
const timeout = 10_000;

interface Uploading {
  readonly client: SecureConnection;
  readonly stream: Duplex;
  readonly accepted: Promise<SecureConnection>;
  readonly errors: unknown[];
}

async function upload(handler: (stream: Duplex) => Promise<void>): Promise<Uploading> {
  const errors: unknown[] = [];
  let accept!: (connection: SecureConnection) => void;
  const accepted = new Promise<SecureConnection>((resolve) => (accept = resolve));
  const place = { port: 0, host: '127.0.0.1', credentials: world.server, framing: raw() };
  const server = await listen(
    { ...place, onError: (error) => void errors.push(error) },
    async (connection) => {
      accept(connection);
      await handler(connection.stream());
    },
  );
  servers.push(server);
  const client = await connect({
    host: 'localhost',
    port: portOf(server),
    credentials: world.anonymous,
    framing: raw(),
    onError: () => undefined,
  });
  return { client, stream: client.stream(), accepted, errors };
}

async function all(stream: Duplex): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

const broken = { clean: false, error: { code: 'KNSOCK_CONNECTION_RESET' } };

describe('a handler that reads to the end in a loop', () => {
  it('and returns, ends its own direction', { timeout }, async () => {
    let saved = '';
    const { client, stream, accepted } = await upload(async (upload) => {
      saved = await all(upload);
    });
    stream.end('all of it');
    expect(await all(stream)).toBe('');
    expect(saved).toBe('all of it');
    expect((await client.closed).error).toBeUndefined();
    expect((await (await accepted).closed).error).toBeUndefined();
  });

  it('still answers on the same stream', { timeout }, async () => {
    const { client, stream } = await upload(async (upload) => {
      const text = await all(upload);
      await new Promise((resolve) => setImmediate(resolve));
      upload.write(`${text.length} bytes`);
    });
    stream.end('all of it');
    expect(await all(stream)).toBe('9 bytes');
    expect((await client.closed).error).toBeUndefined();
  });
});

describe('a handler that leaves its loop', () => {
  it('by break, is no end to its peer, who gets what was written', { timeout }, async () => {
    const { client, stream, accepted, errors } = await upload(async (upload) => {
      for await (const _ of upload) {
        upload.write('enough');
        break;
      }
    });
    stream.write('a part');
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    expect(String(chunk)).toBe('enough');
    expect(await client.closed).toMatchObject(broken);
    expect(await (await accepted).closed).toMatchObject({
      clean: false,
      error: { code: 'KNSOCK_CONNECTION_CLOSED' },
    });
    expect(errors).toEqual([]);
  });

  it('by break, and ends its own direction, has given a whole answer', { timeout }, async () => {
    const { stream } = await upload(async (upload) => {
      for await (const _ of upload) break;
      upload.end('enough');
    });
    stream.write('a part');
    expect(await all(stream)).toBe('enough');
  });

  it('by a failure, is no end to its peer, and the failure is reported once', { timeout }, async () => {
    const full = new Error('the disk is full');
    const { client, stream, accepted, errors } = await upload(async (upload) => {
      for await (const _ of upload) {
        upload.write('a part of the answer');
        throw full;
      }
    });
    stream.write('a part');
    const [chunk] = (await once(stream, 'data')) as [Buffer];
    expect(String(chunk)).toBe('a part of the answer');
    expect(await client.closed).toMatchObject(broken);
    expect((await (await accepted).closed).error).toBe(full);
    expect(errors).toEqual([full]);
  });
});

it('a write after close() fails with our own code, and the address', { timeout }, async () => {
  const { client, stream } = await upload(async (upload) => {
    upload.resume();
    await once(upload, 'end');
  });
  stream.on('error', () => undefined);
  const closing = client.close();
  await once(stream, 'finish');
  const code = 'KNSOCK_CONNECTION_CLOSED';
  const failed = new Promise((resolve) => stream.write('too late', resolve));
  expect(await failed).toMatchObject({ code, message: expect.stringContaining('127.0.0.1') as unknown });
  await closing;
  const after = new Promise((resolve) => stream.write('far too late', resolve));
  expect(await after).toMatchObject({ code });
});

describe('a failure of a handler of a stream without a listener of errors', () => {
  it.each<[string, (stream: Duplex, error: Error) => Promise<void> | never]>([
    [
      'thrown',
      (_, error) => {
        throw error;
      },
    ],
    ['thrown later', (_, error) => new Promise((_resolve, reject) => setImmediate(reject, error))],
    [
      'thrown behind what it wrote',
      (stream, error) => {
        stream.write('a part');
        throw error;
      },
    ],
    [
      'given to destroy()',
      (stream, error) => {
        stream.destroy(error);
        return Promise.resolve();
      },
    ],
    [
      'given to destroy(), and thrown',
      (stream, error) => {
        stream.destroy(error);
        throw error;
      },
    ],
  ])('is reported once where it is %s', { timeout }, async (_, fail) => {
    const error = new Error('the disk is full');
    const { client, accepted, errors } = await upload((stream) => fail(stream, error));
    await Promise.all([client.closed, (await accepted).closed]);
    // The stream's own event comes a turn later.
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([error]);
  });
});
