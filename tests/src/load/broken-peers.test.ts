/** Peers that break off, speak something else or never finish: each ends alone, and the others notice nothing. */
import { once } from 'node:events';
import { connect, listen, type ListenOptions, type SecureConnection, type SecureServer } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { bareSocket, gone, say } from '../support/bare-socket.js';
import { FaultProxy, type Direction } from '../support/fault-proxy.js';
import { frame, kind, knsockPeer, requestFrame, tlsPeer, welcome } from '../support/hand-made-peer.js';
import { hear } from '../support/heard.js';
import { bare, stockServer } from '../support/raw-tls.js';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

function echo(options: Omit<Partial<ListenOptions>, 'framing'> = {}): Promise<SecureServer> {
  return listen({ port: 0, host: '127.0.0.1', credentials: world.server, ...options }, (connection) => {
    connection.onRequest(({ payload }) => payload);
  });
}

function client(port: number): Promise<SecureConnection> {
  return connect({ host: 'localhost', port, credentials: world.anonymous });
}

/** The only connection of a server, once it is there. */
function only(server: SecureServer): Promise<SecureConnection> {
  return vi.waitUntil(() => [...server.connections()][0]);
}

/** The server has nothing left of the broken peer, and serves a good one. */
async function servesOn(server: SecureServer): Promise<void> {
  await vi.waitFor(() => {
    expect(server.stats()).toMatchObject({ connections: 0, pendingHandshakes: 0 });
  });
  await using good = await client(portOf(server));
  expect(String(await good.request('hello'))).toBe('hello');
}

describe("what isn't TLS", () => {
  it.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'plain-http'],
    ['SSH', 'SSH-2.0-OpenSSH_9.6\r\n', 'not-tls'],
    ['a stray PROXY header', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\n', 'not-tls'],
    ['zeros', Buffer.alloc(600), 'not-tls'],
    ['a record of noise', Buffer.from([22, 3, 1, 0, 200, ...Array<number>(200).fill(0xa5)]), null],
  ])('%s is ended and told', async (_what, words, reason) => {
    using heard = hear('knsock:failure');
    await using server = await echo();
    await say(portOf(server), words);
    await servesOn(server);
    expect(server.stats().failedHandshakes).toBe(1);
    const [{ error } = {}] = heard.events;
    expect(error).toMatchObject(reason === null ? { name: 'HandshakeError' } : { reason });
  });
});

describe('a second GOAWAY', () => {
  it("ends its connection: what the first let start, it can't leave undone", async () => {
    await using server = await echo();
    const peer = await knsockPeer(portOf(server));
    const [lower, higher] = [Buffer.alloc(8), Buffer.alloc(8, 0x01)];
    higher[0] = 0;
    const { closed } = await only(server);
    peer.write(Buffer.concat([frame(kind.goaway, higher), frame(kind.goaway, lower)]));
    peer.resume();
    expect((await closed).error?.message).toContain('GOAWAY came a second time');
    await servesOn(server);
  });
});

describe('a reset', () => {
  it("before the handshake is nobody's failure", async () => {
    await using server = await echo();
    for (let n = 0; n < 20; n++) (await bareSocket(portOf(server))).resetAndDestroy();
    await servesOn(server);
    expect(server.stats()).toMatchObject({ failedHandshakes: 0, admitted: 1 });
  });

  it.each(['up', 'down'] as const)('in the handshake ends it: %s', async (direction) => {
    await using server = await echo();
    await using proxy = await FaultProxy.start(portOf(server), { cutAfter: { direction, bytes: 1 } });
    // Behind the server's first flight the client thinks itself done.
    await expect(client(proxy.port)).rejects.toMatchObject({
      name: expect.stringMatching(/^(HandshakeError|ConnectionClosedError|ConnectionError)$/) as unknown,
      retryable: true,
    });
    await servesOn(server);
    expect(server.stats().failedHandshakes).toBe(1);
  });

  it('in the middle of a request tells both sides', async () => {
    let ended: Promise<unknown> | undefined;
    await using server = await listen(
      { port: 0, host: '127.0.0.1', credentials: world.server },
      (connection) => {
        ended ??= connection.closed;
        connection.onRequest(({ payload, signal }) => {
          if (String(payload) === 'hello') return payload;
          return once(signal, 'abort').then(() => 'too late');
        });
      },
    );
    await using proxy = await FaultProxy.start(portOf(server));
    const cut = await client(proxy.port);
    const answer = expect(cut.request('never answered')).rejects.toMatchObject({
      code: 'KNSOCK_CONNECTION_RESET',
    });
    await vi.waitFor(() => expect([...server.connections()][0]?.stats().requestsHandled).toBe(1));
    proxy.reset();
    await answer;
    expect(await ended).toMatchObject({ clean: false, error: { code: 'KNSOCK_CONNECTION_RESET' } });
    await servesOn(server);
  });
});

describe('a flipped bit', () => {
  it.each(['up', 'down'] as const)('in a record ends the connection on both sides: %s', async (direction) => {
    await using server = await echo();
    await using proxy = await FaultProxy.start(portOf(server));
    const damaged = await client(proxy.port);
    expect(String(await damaged.request('whole'))).toBe('whole');
    const there = await only(server);
    proxy.faults.damageNext = direction;
    await expect(damaged.request('damaged')).rejects.toThrow();
    const ends = await Promise.all([there.closed, damaged.closed]);
    expect(ends.map(({ clean }) => clean)).toEqual([false, false]);
    const receiver = ends[direction === 'up' ? 0 : 1];
    expect(receiver?.error).toMatchObject({ code: 'KNSOCK_HANDSHAKE_BAD_RECORD' });
    await servesOn(server);
  });

  it.each(['up', 'down'] as const)('in the handshake ends it: %s', async (direction: Direction) => {
    await using server = await echo();
    await using proxy = await FaultProxy.start(portOf(server), { damageNext: direction });
    await expect(client(proxy.port)).rejects.toThrow();
    await servesOn(server);
  });
});

describe('an end before the beginning', () => {
  it('of the client is noticed at once', async () => {
    await using server = await echo({ handshakeTimeout: 60_000 });
    const peer = await tlsPeer(portOf(server), { ALPNProtocols: ['knsock/1'] });
    peer.end();
    await servesOn(server);
    expect(server.stats()).toMatchObject({ failedHandshakes: 1, refusedPeers: 0 });
    peer.destroy();
  });

  it("of the server is noticed at once, and isn't taken for a refusal", async () => {
    const credentials = bare(world.server);
    await using server = await stockServer({ ...credentials, ALPNProtocols: ['knsock/1'] }, () => '');
    const options = { host: 'localhost', port: server.port, credentials: world.anonymous };
    await expect(connect({ ...options, connectTimeout: 60_000 })).rejects.toMatchObject({
      code: 'KNSOCK_CONNECTION_CLOSED',
      retryable: true,
    });
  });
});

describe('renegotiation', () => {
  it('is refused, however often it is asked for', async () => {
    await using server = await echo();
    const peer = await knsockPeer(portOf(server), { maxVersion: 'TLSv1.2' });
    peer.resume();
    const refusals = [];
    for (let n = 0; n < 3 && !peer.destroyed; n++) refusals.push(await renegotiate(peer));
    expect(refusals[0]).toMatch(/ERR_SSL_NO_RENEGOTIATION|ECONNRESET|closed/);
    expect(refusals).not.toContain('done');
    peer.destroy();
    await servesOn(server);
  });
});

function renegotiate(peer: Awaited<ReturnType<typeof tlsPeer>>): Promise<string> {
  return new Promise((resolve) => {
    peer.once('error', (error: Error & { code?: string }) => {
      resolve(error.code ?? error.message);
    });
    peer.once('close', () => {
      resolve('closed');
    });
    peer.renegotiate({ rejectUnauthorized: false }, (error) => {
      resolve(error === null ? 'done' : ((error as { code?: string }).code ?? error.message));
    });
  });
}

describe('slow-loris frames', () => {
  it('buy no time from the first-message deadline, and no harm to others', async () => {
    await using server = await echo({ firstMessageTimeout: 1_000 });
    const message = frame(kind.message, Buffer.alloc(1_000));
    const peers = await Promise.all(Array.from({ length: 20 }, () => knsockPeer(portOf(server))));
    const drips = peers.map((peer) => {
      let at = 0;
      return setInterval(() => peer.write(message.subarray(at, ++at)), 20);
    });
    await vi.waitFor(() => expect(server.stats().connections).toBe(20));
    const ended = [...server.connections()].map(({ closed }) => closed);
    await using good = await client(portOf(server));
    expect(String(await good.request('meanwhile'))).toBe('meanwhile');
    for (const { error } of await Promise.all(ended))
      expect(error).toMatchObject({ code: 'KNSOCK_FIRST_MESSAGE_TIMEOUT' });
    for (const drip of drips) clearInterval(drip);
    for (const peer of peers) await gone(peer);
    expect(String(await good.request('and after'))).toBe('and after');
  });

  it('that announce the largest message cost nothing until it comes', async () => {
    await using server = await echo({ maxMessageBytes: 64 * 1_048_576 });
    // Memory that nobody has written to isn't resident, so that only its owner can tell of it.
    const before = process.memoryUsage().arrayBuffers;
    const head = frame(kind.message, Buffer.alloc(1));
    head.writeUInt32BE(60 * 1_048_576);
    const peers = await Promise.all(Array.from({ length: 50 }, () => knsockPeer(portOf(server))));
    for (const peer of peers) peer.write(head);
    await vi.waitFor(() => {
      for (const connection of server.connections())
        expect(connection.stats().bytesReceived).toBe(welcome.length + head.length);
    });
    // 50 of these would be 3 GB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1_048_576);
    for (const peer of peers) peer.destroy();
  });
});

describe('an idle connection', () => {
  it("is ended after idleTimeout, and a busy one isn't", async () => {
    await using server = await echo({ idleTimeout: 400 });
    const idle = await client(portOf(server));
    const busy = await client(portOf(server));
    const work = setInterval(() => void busy.request('work').catch(() => undefined), 50);
    const closed = await idle.closed;
    clearInterval(work);
    expect(closed).toMatchObject({
      clean: false,
      error: { message: expect.stringMatching(/IDLE/) as unknown },
    });
    expect(String(await busy.request('still'))).toBe('still');
    await busy.close();
  });
});

describe('a half-open peer', () => {
  it('is found by heartbeat, on either side', async () => {
    const heartbeat = { interval: 100, timeout: 200 };
    await using server = await echo({ heartbeat });
    await using proxy = await FaultProxy.start(portOf(server));
    const lost = await connect({
      host: 'localhost',
      port: proxy.port,
      credentials: world.anonymous,
      heartbeat,
    });
    const there = await only(server);
    expect(String(await lost.request('hello'))).toBe('hello');
    proxy.swallow();
    expect((await lost.closed).error).toMatchObject({ code: 'KNSOCK_HEARTBEAT_TIMEOUT' });
    expect((await there.closed).error).toMatchObject({ code: 'KNSOCK_HEARTBEAT_TIMEOUT' });
    await servesOn(server);
  });

  it('that answers pings lives on, and a framing without pings has no heartbeat', async () => {
    await using server = await echo({ heartbeat: { interval: 50, timeout: 2_000 } });
    const quiet = await client(portOf(server));
    const there = await only(server);
    const heardFrom = there.stats().bytesReceived;
    // Three pongs of 13 bytes have come.
    await vi.waitFor(() => expect(there.stats().bytesReceived).toBeGreaterThanOrEqual(heardFrom + 39));
    expect(String(await quiet.request('here'))).toBe('here');
    await quiet.close();
    const { lines } = await import('@knsock/core');
    const refused = connect({ port: 1, framing: lines(), heartbeat: { interval: 1, timeout: 1 } });
    await expect(refused).rejects.toMatchObject({ code: 'KNSOCK_INVALID_OPTION', option: 'heartbeat' });
  });
});

describe('frames that break the protocol', () => {
  it.each([
    ['a frame before WELCOME', requestFrame(1)],
    ['an unknown kind', Buffer.concat([welcome, frame(31, Buffer.alloc(0))])],
    ['a length of nothing', Buffer.concat([welcome, Buffer.alloc(5)])],
    [
      'a message over the limit',
      Buffer.concat([welcome, Buffer.from([0x7f, 0xff, 0xff, 0xff, kind.message])]),
    ],
    ["ids that don't grow", Buffer.concat([welcome, requestFrame(2), requestFrame(1)])],
    ['an answer to nothing', Buffer.concat([welcome, frame(kind.response, Buffer.alloc(8, 1))])],
  ])('end their connection: %s', async (_what, bytes) => {
    await using server = await echo();
    const peer = await tlsPeer(portOf(server), { ALPNProtocols: ['knsock/1'] });
    peer.write(bytes);
    await gone(peer);
    await servesOn(server);
  });
});
