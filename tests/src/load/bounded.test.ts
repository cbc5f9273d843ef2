/** What one peer can make a server hold is bounded, whatever it sends and however little it reads. */
import { lines, listen, serve, type SecureConnection, type SecureServer } from '@knsock/core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { FrameCount, frame, kind, knsockPeer, requestFrame, tlsPeer } from '../support/hand-made-peer.js';
import { createWorld, portOf, type World } from '../support/world.js';

const MEBIBYTE = 1_048_576;
/** The default of maxQueuedBytes, and a message above it. */
const FEW_MEBIBYTES = 6 * MEBIBYTE;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

function at() {
  return { port: 0, host: '127.0.0.1', credentials: world.server };
}

function only(server: SecureServer): SecureConnection {
  const [connection] = server.connections();
  if (connection === undefined) throw new Error('nobody is connected');
  return connection;
}

describe('a peer that never reads', () => {
  it('holds the handler up, and is cut off when it has taken nothing for sendTimeout', async () => {
    let sent = 0;
    let most = 0;
    let failure: unknown;
    await using server = await listen({ ...at(), sendTimeout: 1_000 }, async (connection) => {
      try {
        for (;;) {
          await connection.send(Buffer.alloc(100_000));
          sent += 100_000;
          most = Math.max(most, connection.stats().queuedBytes);
        }
      } catch (error) {
        failure = error;
      }
    });
    const peer = await knsockPeer(portOf(server));
    await vi.waitFor(() => expect(server.stats().connections).toBe(1));
    const { closed } = only(server);
    expect((await closed).error).toMatchObject({ code: 'KNSOCK_SEND_TIMEOUT', ms: 1_000 });
    await vi.waitFor(() => expect(failure).toMatchObject({ code: 'KNSOCK_SEND_TIMEOUT' }));
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(FEW_MEBIBYTES);
    // What the system's own buffers take isn't ours, but it ends too.
    expect(sent).toBeLessThan(64 * MEBIBYTE);
    peer.destroy();
  });

  it("makes a handler that doesn't wait lose messages, and tells it once with the numbers", async () => {
    const onError = vi.fn<(error: Error) => void>();
    await using server = await listen({ ...at(), onError }, (connection) => {
      for (let count = 0; count < 1_000; count += 1) connection.write(Buffer.alloc(100_000));
    });
    const peer = await knsockPeer(portOf(server));
    await vi.waitFor(() => expect(onError).toHaveBeenCalled());
    const { queuedBytes, messagesSent, messagesDropped } = only(server).stats();
    expect(queuedBytes).toBeLessThan(FEW_MEBIBYTES);
    expect(messagesDropped).toBeGreaterThan(900);
    expect(onError).toHaveBeenCalledTimes(1);
    expect(onError.mock.calls[0]?.[0]).toMatchObject({ code: 'KNSOCK_QUEUE_FULL' });
    expect(onError.mock.calls[0]?.[0].message).toMatch(/\d+ bytes wait .* limit of 4194304/);
    const taken = 1_000 - messagesDropped;
    expect(messagesSent).toBeLessThanOrEqual(taken);
    const frames = new FrameCount();
    peer.on('data', (chunk: Buffer) => {
      frames.push(chunk);
    });
    await vi.waitFor(() => expect(frames.of(kind.message)).toBe(taken));
    peer.destroy();
  });

  it('gets no more answers made than may wait, and all of them once it reads', async () => {
    const asked = 3_000;
    let answered = 0;
    const answer = Buffer.alloc(MEBIBYTE);
    await using server = await serve({ ...at(), sendTimeout: 30_000 }, () => {
      answered += 1;
      return answer;
    });
    const peer = await knsockPeer(portOf(server));
    peer.write(Buffer.concat(Array.from({ length: asked }, (_, index) => requestFrame(index + 1))));
    await vi.waitFor(() => expect(answered).toBeGreaterThan(0));
    await settled(() => answered);
    const { queuedBytes } = only(server).stats();
    expect(queuedBytes).toBeLessThan(FEW_MEBIBYTES);
    const frames = new FrameCount();
    peer.on('data', (chunk: Buffer) => {
      frames.push(chunk);
    });
    await vi.waitFor(() => expect(frames.of(kind.response) + frames.of(kind.rejected)).toBe(asked), 20_000);
    expect(frames.of(kind.response)).toBe(answered);
    peer.destroy();
  });

  it('stops being read itself when it asks and asks', async () => {
    await using server = await listen(at(), () => undefined);
    const peer = await knsockPeer(portOf(server));
    const pings = Buffer.concat(Array.from({ length: 5_000 }, () => frame(kind.ping, Buffer.alloc(8))));
    let stuck = false;
    const ask = (): void => {
      while (!stuck && peer.write(pings)) if (peer.writableLength > 64 * MEBIBYTE) return;
    };
    peer.on('drain', ask);
    ask();
    await settled(() => peer.bytesWritten - peer.writableLength);
    stuck = true;
    expect(only(server).stats().queuedBytes).toBeLessThan(FEW_MEBIBYTES);
    peer.destroy();
  });
});

describe('answers in the order of the requests', () => {
  it("don't pile up behind one that takes long", async () => {
    let started = 0;
    const late: ((answer: string) => void)[] = [];
    await using server = await serve(
      { ...at(), framing: lines(), maxRequestsInFlight: 16 },
      ({ payload }) => {
        started += 1;
        if (String(payload) === 'slow') return new Promise<string>((resolve) => late.push(resolve));
        return Promise.resolve('quick');
      },
    );
    const peer = await tlsPeer(portOf(server));
    let received = '';
    peer.on('data', (chunk: Buffer) => (received += chunk.toString()));
    peer.write(`slow\n${'quick\n'.repeat(5_000)}`);
    await vi.waitFor(() => expect(started).toBe(16));
    await settled(() => started);
    expect(started).toBe(16);
    late[0]?.('at last');
    await vi.waitFor(() => expect(received).toBe(`at last\n${'quick\n'.repeat(5_000)}`));
    peer.destroy();
  });
});

describe('an asynchronous listener', () => {
  it('is given no more messages at once than maxRequestsInFlight, and all in the end', async () => {
    let working = 0;
    let most = 0;
    let done = 0;
    await using server = await listen({ ...at(), framing: lines(), maxRequestsInFlight: 8 }, (connection) => {
      connection.onMessage(async () => {
        most = Math.max(most, ++working);
        await new Promise((resolve) => setImmediate(resolve));
        working -= 1;
        done += 1;
      });
    });
    const peer = await tlsPeer(portOf(server));
    peer.write('message\n'.repeat(2_000));
    await vi.waitFor(() => expect(done).toBe(2_000));
    expect(most).toBe(8);
    peer.destroy();
  });

  it("that sends back what it got holds up a peer that doesn't read, and loses nothing", async () => {
    await using server = await listen({ ...at(), framing: lines() }, (connection) => {
      connection.onMessage((message) => connection.send(message));
    });
    const peer = await tlsPeer(portOf(server));
    const line = Buffer.concat([Buffer.alloc(9_999, 'x'), Buffer.from('\n')]);
    const lineCount = 2_000;
    peer.write(Buffer.concat(Array.from({ length: lineCount }, () => line)));
    await settled(() => peer.writableLength);
    expect(only(server).stats().queuedBytes).toBeLessThan(FEW_MEBIBYTES);
    let received = 0;
    peer.on('data', (chunk: Buffer) => (received += chunk.length));
    await vi.waitFor(() => expect(received).toBe(lineCount * line.length), 20_000);
    peer.destroy();
  });
});

/** Resolves once a figure has stopped moving. */
async function settled(figure: () => number): Promise<void> {
  let last = Number.NaN;
  let still = 0;
  await vi.waitUntil(
    () => {
      still = figure() === last ? still + 1 : 0;
      last = figure();
      return still >= 4;
    },
    { timeout: 20_000, interval: 50 },
  );
}
