/** What a connection guarantees while open and at its end, beside the table of docs/connections.md. */
import { once } from 'node:events';
import {
  connect,
  knsock,
  lengthPrefixed,
  lines,
  listen,
  serve,
  type ErrorContext,
  type SecureConnection,
  type SecureServer,
} from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { frame, kind, knsockPeer, requestFrame, tlsPeer, welcome } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

const CLOSE = 0x0a;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: SecureServer) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

/** The server's side of the only connection. */
async function only(server: SecureServer): Promise<SecureConnection> {
  await vi.waitFor(() => expect(server.stats().connections).toBe(1));
  return [...server.connections()][0] as SecureConnection;
}

describe('close({ code, text })', () => {
  it('ends cleanly, and the peer receives the code and text', async () => {
    await using server = await listen(local(), () => undefined);
    const client = await connect(to(server));
    const { closed } = await only(server);
    await client.close({ code: 'moved', text: 'ask the other one' });
    expect(await closed).toEqual({ clean: true, code: 'moved', text: 'ask the other one' });
    expect(await client.closed).toEqual({ clean: true });
  });

  it('waits for work in flight, as close() does', async () => {
    let answer!: (text: string) => void;
    await using server = await serve(local(), () => new Promise<string>((resolve) => (answer = resolve)));
    const client = await connect(to(server));
    const asked = client.request('x');
    const there = await only(server);
    await vi.waitFor(() => expect(there.stats().requestsHandled).toBe(1));
    const closing = client.close({ code: 'done' });
    answer('in time');
    expect(String(await asked)).toBe('in time');
    await closing;
    expect(await there.closed).toEqual({ clean: true, code: 'done', text: '' });
  });

  it('goes out empty to a peer that announced no such codes', async () => {
    await using server = await listen(local(), () => undefined);
    const peer = await knsockPeer(portOf(server));
    let received = Buffer.alloc(0);
    peer.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
    const closing = (await only(server)).close({ code: 'moved' });
    await vi.waitFor(() => expect(received.subarray(-5).toString('hex')).toBe('000000010a'));
    peer.write(frame(CLOSE, Buffer.alloc(0)));
    await closing;
    peer.destroy();
  });

  it('refuses codes that are reserved, too long or not ASCII, and a text without one', async () => {
    await using server = await listen(local(), () => undefined);
    await using client = await connect(to(server));
    for (const code of ['KNSOCK_MINE', '', 'x'.repeat(65), 'ä', 7 as unknown as string])
      await expect(client.close({ code })).rejects.toThrow(expect.objectContaining({ option: 'code' }));
    await expect(client.close({ text: 'why' })).rejects.toThrow(expect.objectContaining({ option: 'code' }));
    expect(client.state).toBe('open');
  });

  it('of an old peer is a failure, with any code', async () => {
    await using server = await listen(local(), () => undefined);
    const peer = await knsockPeer(portOf(server));
    const { closed } = await only(server);
    peer.write(frame(CLOSE, Buffer.from('\x05movedto b')));
    expect(await closed).toMatchObject({
      clean: false,
      error: { message: expect.stringMatching(/moved/) as string },
    });
    peer.destroy();
  });
});

describe('the order of ends on the wire', () => {
  it('keeps our direction open until the peer has announced its own end', async () => {
    await using server = await listen(local(), () => undefined);
    const peer = await knsockPeer(portOf(server));
    const frames: Buffer[] = [];
    let ended = false;
    peer.on('data', (chunk: Buffer) => frames.push(chunk)).on('end', () => (ended = true));
    const there = await only(server);
    const closing = there.close();
    await vi.waitFor(() => expect(Buffer.concat(frames).subarray(-5).toString('hex')).toBe('000000010a'));
    expect(ended).toBe(false);
    // What the peer still sends is accepted.
    peer.write(Buffer.concat([frame(kind.message, Buffer.from('late')), frame(CLOSE, Buffer.alloc(0))]));
    await closing;
    expect(String(await there.receive())).toBe('late');
    expect(await there.closed).toEqual({ clean: true });
    peer.destroy();
  });

  it('sends the peer neither the error of destroy(error) nor what a handler threw', async () => {
    const secret = 'the password is hunter2';
    await using server = await listen({ ...local(), onError: () => undefined }, (connection) => {
      connection.onMessage((message) => {
        if (String(message) === 'destroy') connection.destroy(new Error(secret));
        else throw Object.assign(new Error(secret), { code: secret });
      });
    });
    for (const message of ['destroy', 'throw']) {
      const peer = await knsockPeer(portOf(server));
      let received = '';
      peer.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
      peer.write(frame(kind.message, Buffer.from(message)));
      await once(peer, 'close');
      expect(received).not.toContain('hunter2');
      expect(received.includes('KNSOCK_INTERNAL')).toBe(message === 'throw');
    }
  });
});

describe('a handler set in the turn in which the connection is handed out', () => {
  it('receives a request that arrived together with the WELCOME', async () => {
    await using server = await listen(local(), (connection) => {
      connection.onRequest(({ payload }) => `got ${String(payload)}`);
    });
    const peer = await tlsPeer(portOf(server), { ALPNProtocols: ['knsock/1'] });
    let received = '';
    peer.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    await once(peer, 'data');
    peer.write(Buffer.concat([welcome, requestFrame(1, Buffer.from('first'))]));
    await vi.waitFor(() => expect(received).toContain('got first'));
    peer.destroy();
  });

  it.each([lines(), lengthPrefixed()])('receives the first message on $name', async (framing) => {
    await using server = await listen({ ...local(), framing }, (connection) => {
      connection.onRequest(({ payload }) => `got ${String(payload)}`);
    });
    for (let times = 0; times < 5; times += 1) {
      const client = await connect({ ...to(server), framing });
      expect(String(await client.request('first'))).toBe('got first');
      await client.close();
    }
  });
});

describe('sending where the connection has ended', () => {
  it('is reported by the result of the call, and never ends the process', async () => {
    const onError = vi.fn<(error: Error, context: ErrorContext) => void>();
    await using server = await listen(local(), () => undefined);
    const client = await connect({ ...to(server), onError });
    await client.close();
    expect([client.write('x'), client.post('x')]).toEqual([false, false]);
    expect(client.stats().messagesDropped).toBe(2);
    await expect(client.ready()).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    await expect(client.send('x')).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    await expect(client.request('x')).rejects.toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
    expect(onError).not.toHaveBeenCalled();
    void client.send('x');
    await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(1));
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    expect(onError.mock.calls[0]?.[1].connection).toBe(client);
  });

  it("drops and counts messages over the peer's limit", async () => {
    await using server = await listen({ ...local(), maxMessageBytes: 10 }, () => undefined);
    await using client = await connect(to(server));
    expect([client.write('x'.repeat(11)), client.post('x'.repeat(11))]).toEqual([false, false]);
    await expect(client.send('x'.repeat(11))).rejects.toMatchObject({ code: 'KNSOCK_MESSAGE_TOO_LARGE' });
    expect(client.stats()).toMatchObject({ messagesDropped: 2, messagesSent: 0 });
    expect(client.write('x'.repeat(10))).toBe(true);
  });

  it('is refused after drainTimeout where a handler keeps sending to a peer that has ended and reads on', async () => {
    await using server = await listen(
      { ...local(), framing: lines(), drainTimeout: 300, onError: () => undefined },
      async (connection) => {
        await connection.receive();
        for (;;) await connection.send('x'.repeat(65_535));
      },
    );
    const peer = await tlsPeer(portOf(server));
    const connection = await only(server);
    let received = 0;
    peer.on('data', (chunk: Buffer) => (received += chunk.length));
    peer.end('go\n');
    await connection.closed;
    await once(peer, 'end');
    expect(received % 65_536).toBe(0);
    expect(connection.stats().queuedBytes).toBe(0);
  });

  it('reports how many bytes were accepted and never taken', async () => {
    await using server = await listen(
      { ...local(), framing: lines(), sendTimeout: 400, maxQueuedBytes: 64_000_000 },
      (connection) => {
        connection.onMessage(() => {
          for (let count = 0; count < 600; count += 1) connection.post('x'.repeat(65_535));
        });
      },
    );
    const peer = await tlsPeer(portOf(server));
    peer.pause();
    const there = await only(server);
    peer.write('go\n');
    const { error, unsentBytes } = await there.closed;
    expect(error).toMatchObject({ code: 'KNSOCK_SEND_TIMEOUT' });
    expect(unsentBytes).toBeGreaterThan(0);
    peer.destroy();
  });
});

describe('one order and one bound', () => {
  it('holds for requests: none overtakes a message, and those beyond maxQueuedBytes wait', async () => {
    const order: string[] = [];
    await using server = await listen({ ...local(), maxMessageBytes: 1_000_000 }, (connection) => {
      connection.onMessage((message) => order.push(String(message).slice(0, 1)));
      connection.onRequest(({ payload }) => {
        order.push(String(payload).slice(0, 1));
        return 'ok';
      });
    });
    const client = await connect({ ...to(server), maxQueuedBytes: 1_000_000 });
    const there = await only(server);
    there.socket.pause();
    let written = 0;
    while (client.write('m'.repeat(60_000))) written += 1;
    written += 1;
    const asked = client.request('r'.repeat(60_000));
    const others = Array.from({ length: 40 }, () => client.request('s'.repeat(60_000)));
    expect(client.post('x'.repeat(60_000))).toBe(false);
    there.socket.resume();
    expect((await Promise.all([asked, ...others])).map(String)).toEqual(Array<string>(41).fill('ok'));
    expect(order.join('')).toBe(`${'m'.repeat(written)}r${'s'.repeat(40)}`);
    client.destroy();
  });

  it('makes an answer wait behind the messages that its handler sent before', async () => {
    await using server = await serve({ ...local(), maxQueuedBytes: 20_000_000 }, ({ connection }) => {
      for (let count = 0; count < 40; count += 1) void connection.send(Buffer.alloc(200_000, 'p'));
      return 'done';
    });
    await using client = await connect({ ...to(server), maxQueuedBytes: 20_000_000 });
    let progress = 0;
    client.onMessage(() => {
      progress += 1;
    });
    await client.request('x');
    expect(progress).toBe(40);
  });
});

describe('signals', () => {
  it('notify a request first that the connection drains, and only near the deadline that it is cancelled', async () => {
    const told: string[] = [];
    const server = await serve(local(), async ({ signal, draining }) => {
      draining.addEventListener('abort', () => told.push('draining'));
      await once(signal, 'abort');
      told.push('signal');
      return 'in time';
    });
    const client = await connect(to(server));
    const asked = client.request('x');
    const there = await only(server);
    await vi.waitFor(() => expect(there.stats().requestsHandled).toBe(1));
    await server.close({ deadline: 600 });
    expect(told).toEqual(['draining', 'signal']);
    expect(String(await asked)).toBe('in time');
    expect(await client.closed).toEqual({ clean: true });
  });

  it('notify a connection of its end, with the reason, whenever they are read', async () => {
    await using server = await listen(local(), () => undefined);
    const client = await connect(to(server));
    const early = client.signal;
    expect(early.aborted).toBe(false);
    await client.close();
    expect([early.aborted, client.signal.aborted]).toEqual([true, true]);
    expect(early.reason).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
  });
});

describe('a batch in one chunk', () => {
  it('yields to others, and is handled completely', async () => {
    const count = 2_000;
    const byTurn: number[] = [0];
    let handled = 0;
    await using server = await listen({ ...local(), framing: lines() }, (connection) => {
      connection.onMessage(() => {
        if (byTurn.at(-1) === 0) setImmediate(() => byTurn.push(0));
        byTurn[byTurn.length - 1] = (byTurn.at(-1) ?? 0) + 1;
        handled += 1;
        const until = performance.now() + 0.1;
        while (performance.now() < until);
      });
    });
    const peer = await tlsPeer(portOf(server));
    peer.write('\n'.repeat(count));
    await vi.waitFor(() => expect(handled).toBe(count), 20_000);
    // Without a pause they would take 200 ms.
    expect(Math.max(...byTurn)).toBeLessThan(count / 10);
    peer.destroy();
  });
});

it('two sides that write and never read end by sendTimeout, which reports it', async () => {
  const settings = { framing: knsock(), sendTimeout: 600, maxQueuedBytes: 65_536 };
  const flood = async (connection: SecureConnection): Promise<void> => {
    for (;;) await connection.send(Buffer.alloc(50_000));
  };
  await using server = await listen({ ...local(), ...settings, onError: () => undefined }, flood);
  const client = await connect({ ...to(server), ...settings });
  const there = await only(server);
  await expect(flood(client)).rejects.toThrow();
  const errors = [await client.closed, await there.closed].map(({ error }) => String(error));
  expect(errors.join()).toMatch(/both sides write without reading/);
});
