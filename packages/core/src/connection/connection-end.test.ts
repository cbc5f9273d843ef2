import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lines } from '../framing/index.js';
import { encodeClose, encodeFrame, Kind } from '../framing/knsock/index.js';
import { connectedPair, handMadePair, turn } from '../testing/connected-pair.js';

const framing = lines();

beforeEach(() => {
  // Sending continues by immediates; only the deadlines stand still.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await turn();
}

const message = (body: string) => (out: never) => {
  encodeFrame(Kind.MESSAGE, 0, Buffer.from(body), out);
};
const never = (): Promise<string> => new Promise(() => undefined);

describe('a close', () => {
  it('asks for answers after two thirds of its timeout, and cuts off when it expires', async () => {
    let signal: AbortSignal | undefined;
    const { peer, connection } = await handMadePair({
      requestHandler: (request) => {
        ({ signal } = request);
        return never();
      },
    });
    peer.say((out) => encodeFrame(Kind.REQUEST, 1, Buffer.from('a'), out));
    const asking = connection.request('b').catch((error: unknown) => error as Error);
    await turn();
    void connection.close({ deadline: 900 });
    await pass(599);
    expect([signal?.aborted, peer.of('CANCEL').length]).toEqual([false, 0]);
    await pass(1);
    expect([signal?.aborted, peer.of('CANCEL').length]).toEqual([true, 1]);
    // Answers are still sent now; new messages aren't.
    expect(connection.write('too late')).toBe(false);
    await pass(299);
    expect(connection.state).toBe('draining');
    await pass(1);
    expect(await connection.closed).toMatchObject({
      clean: false,
      error: { message: "work in flight didn't finish within 900 ms (connection with 192.0.2.1:4000)" },
    });
    expect((await asking) as Error).toMatchObject({
      message: "work in flight didn't finish within 900 ms (connection with 192.0.2.1:4000)",
    });
  });

  it("uses the limit's timeout where none is given, and accepts an earlier one afterwards", async () => {
    const { peer, connection } = await handMadePair({
      limits: { drainTimeout: 3_000 },
      requestHandler: never,
    });
    peer.say((out) => encodeFrame(Kind.REQUEST, 1, Buffer.from('a'), out));
    await turn();
    void connection.close();
    await pass(1_000);
    void connection.close({ deadline: 500 });
    await pass(499);
    expect(connection.state).toBe('draining');
    await pass(1);
    expect((await connection.closed).error?.message).toContain('within 500 ms');
    const other = await handMadePair({ limits: { drainTimeout: 3_000 }, requestHandler: never });
    other.peer.say((out) => encodeFrame(Kind.REQUEST, 1, Buffer.from('a'), out));
    await turn();
    void other.connection.retire(9_000);
    await pass(8_999);
    expect(other.connection.state).toBe('draining');
    await pass(1);
    expect((await other.connection.closed).error?.message).toContain('within 9000 ms');
  });

  it('reports how much was not sent', async () => {
    const { peer, connection } = await handMadePair({ limits: { drainTimeout: 1_000 } });
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    void connection.send(Buffer.alloc(1_000)).catch(() => undefined);
    void connection.close();
    await pass(1_000);
    const { error, unsentBytes } = await connection.closed;
    expect(error?.message).toMatch(
      /^work in flight didn't finish within 1000 ms; \d+ bytes were not sent \(connection with 192\.0\.2\.1:4000\)$/,
    );
    expect(unsentBytes).toBeGreaterThan(50_000);
  });

  it("waits five seconds for the peer's CLOSE, and for its stream's end a second", async () => {
    const { peer, connection } = await handMadePair();
    peer.endsInTurn = false;
    void connection.close();
    await turn();
    expect(peer.of('CLOSE')).toHaveLength(1);
    await pass(4_999);
    expect(peer.ended).toBe(false);
    await pass(1);
    expect(await connection.closed).toMatchObject({
      clean: false,
      error: {
        code: 'KNSOCK_DRAIN_TIMEOUT',
        message: "the peer didn't end in turn within 5000 ms (connection with 192.0.2.1:4000)",
      },
    });
    const polite = await handMadePair();
    polite.peer.endsInTurn = false;
    void polite.connection.close();
    polite.peer.say((out) => encodeClose(out));
    await turn();
    expect(polite.peer.ended).toBe(true);
    await pass(1_000);
    expect(await polite.connection.closed).toEqual({ clean: true });
  });

  it("waits for the peer's end no longer than the program's timeout", async () => {
    const { peer, connection } = await handMadePair({ limits: { drainTimeout: 700 } });
    peer.endsInTurn = false;
    void connection.close();
    await pass(700);
    expect((await connection.closed).clean).toBe(false);
  });

  it('still accepts what the peer sends meanwhile', async () => {
    const { peer, connection } = await handMadePair();
    const got: string[] = [];
    connection.onMessage((bytes) => void got.push(String(bytes)));
    void connection.close();
    await turn();
    peer.say(message('last words') as never);
    peer.say((out) => encodeClose(out));
    await turn();
    expect(got).toEqual(['last words']);
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('after the end changes nothing', async () => {
    const { client, server } = await connectedPair();
    await client.connection.close();
    await client.connection.close({ deadline: 0 });
    expect(await client.connection.closed).toEqual({ clean: true });
    await server.connection.closed;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("messages that the program doesn't take", () => {
  it('delay the end by two seconds at most', async () => {
    const { peer, connection } = await handMadePair();
    const first = connection.receive();
    for (const body of ['1', '2', '3']) peer.say(message(body) as never);
    expect(String(await first)).toBe('1');
    peer.say((out) => encodeClose(out));
    await turn();
    expect(connection.state).toBe('draining');
    await pass(1_000);
    expect(String(await connection.receive())).toBe('2');
    await pass(1_000);
    expect(peer.of('CLOSE')).toEqual([]);
    await pass(1_000);
    expect(peer.of('CLOSE')).toHaveLength(1);
    expect(await connection.closed).toEqual({ clean: true });
    // What had arrived can still be read.
    expect(String(await connection.receive())).toBe('3');
    expect(await connection.receive()).toBeNull();
  });

  it("don't delay it where the program never asked for messages", async () => {
    const { peer, connection } = await handMadePair();
    peer.say(message('unasked') as never);
    peer.say((out) => encodeClose(out));
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('are waited for while a listener works', async () => {
    let work!: () => void;
    const { peer, connection } = await handMadePair({ limits: { maxRequestsInFlight: 1 } });
    const got: string[] = [];
    connection.onMessage((bytes) => {
      got.push(String(bytes));
      return new Promise<void>((resolve) => (work = resolve));
    });
    for (const body of ['1', '2']) peer.say(message(body) as never);
    peer.say((out) => encodeClose(out));
    await pass(1_000);
    await pass(5_000);
    expect(got).toEqual(['1']);
    work();
    await turn();
    expect(got).toEqual(['1', '2']);
    work();
    expect(await connection.closed).toEqual({ clean: true });
  });
});

describe("a program that does nothing after the peer's end", () => {
  const holding = async (limits: { drainTimeout: number }) => {
    const made = await connectedPair({
      framing,
      server: { limits },
      handler: async (connection) => {
        await connection.receive();
        await never();
      },
    });
    made.client.connection.write('ask');
    await turn();
    return made;
  };

  it('is cut off after the drain timeout', async () => {
    const { client, server } = await holding({ drainTimeout: 4_000 });
    void client.connection.close();
    await turn();
    expect(server.connection.state).toBe('draining');
    await pass(3_999);
    expect(server.connection.state).toBe('draining');
    await pass(1);
    expect((await server.connection.closed).error?.message).toBe(
      "the program didn't finish after the peer's end within 4000 ms (connection with 192.0.2.1:4000)",
    );
  });

  it('may keep a stream that it took over for any length of time', async () => {
    const { connection, peer } = await handMadePair({
      framing: (await import('../framing/index.js')).raw(),
      limits: { drainTimeout: 1_000 },
    });
    peer.endsInTurn = false;
    const stream = connection.stream();
    stream.resume();
    peer.stream.end();
    await pass(60_000);
    stream.end('at last');
    await turn();
    expect(peer.text).toBe('at last');
    await connection.closed;
  });

  it('still delivers what it sent to a peer that reads slowly', async () => {
    const { peer, connection } = await handMadePair({ framing, limits: { drainTimeout: 1_000 } });
    peer.endsInTurn = false;
    peer.stream.pause();
    while (connection.write('x'.repeat(50_000)));
    for (let n = 0; n < 5; n += 1) connection.write('y'.repeat(50_000));
    peer.stream.end();
    await turn();
    expect(connection.state).toBe('draining');
    await pass(500);
    peer.stream.resume();
    await turn(40);
    expect(await connection.closed).toEqual({ clean: 'unknown' });
    expect(peer.text.match(/y+/g)).toHaveLength(5);
  });
});

describe('a handler that only pushes', () => {
  it("doesn't delay the end, though messages of the peer are waiting", async () => {
    let stopped = false;
    const { client, server } = await connectedPair({
      framing,
      handler: async (connection) => {
        while (!stopped) {
          await connection.send('tick').catch(() => (stopped = true));
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    });
    client.connection.onMessage(() => undefined);
    client.connection.write('unread');
    await turn();
    void client.connection.close();
    await turn();
    await pass(1_000);
    await pass(1_000);
    const { clean } = await server.connection.closed;
    expect(clean).toBe('unknown');
    expect(stopped).toBe(true);
  });
});

describe('a connection that is over', () => {
  it('leaves no timer behind, in whichever way it ended', async () => {
    const ends: ((made: Awaited<ReturnType<typeof handMadePair>>) => void)[] = [
      ({ connection }) => void connection.close(),
      ({ connection }) => {
        connection.destroy();
      },
      ({ connection }) => {
        connection.fail(new Error('over'));
      },
      ({ peer }) => peer.say((out) => encodeClose(out)),
      ({ peer }) => {
        peer.stream.destroy();
      },
    ];
    for (const end of ends) {
      const made = await handMadePair({
        limits: {
          idleTimeout: 5_000,
          firstMessageTimeout: 5_000,
          heartbeat: { interval: 1_000, timeout: 500 },
        },
        maxLifetime: 60_000,
      });
      expect(vi.getTimerCount()).toBeGreaterThan(0);
      made.connection.receive().catch(() => undefined);
      end(made);
      await turn();
      made.peer.stream.end();
      await made.connection.closed;
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  it('settles every promise that was handed out', async () => {
    const { connection, peer } = await handMadePair();
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    const all = [
      connection.send('a'),
      connection.ready(),
      connection.request('b'),
      connection.receive(),
      connection.ping({ timeout: 60_000 }),
      connection.close({ deadline: 60_000 }),
    ];
    const settled = Promise.allSettled(all);
    connection.destroy(new Error('cut'));
    expect((await settled).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(await connection.closed).toMatchObject({ unsentBytes: expect.any(Number) as number });
  });
});

describe('the limits of an open connection', () => {
  it('end it: idle, and without a first message', async () => {
    const idle = await handMadePair({ limits: { idleTimeout: 4_000 } });
    await pass(4_000);
    expect((await idle.connection.closed).error).toMatchObject({ code: 'KNSOCK_IDLE_TIMEOUT' });
    const silent = await handMadePair({ limits: { firstMessageTimeout: 4_000 } });
    await pass(4_000);
    expect((await silent.connection.closed).error).toMatchObject({ code: 'KNSOCK_FIRST_MESSAGE_TIMEOUT' });
  });

  it('detect by heartbeat a peer that is gone, and leave one that answers', async () => {
    const heartbeat = { interval: 1_000, timeout: 500 };
    const dead = await handMadePair({ limits: { heartbeat } });
    for (let n = 0; n < 4; n += 1) await pass(1_000);
    expect((await dead.connection.closed).error).toMatchObject({ code: 'KNSOCK_HEARTBEAT_TIMEOUT' });
    const { client, server } = await connectedPair({ client: { limits: { heartbeat } } });
    for (let n = 0; n < 20; n += 1) await pass(500);
    expect([client.connection.state, server.connection.state]).toEqual(['open', 'open']);
    client.connection.destroy();
    await server.connection.closed;
  });

  it('close it gracefully after its lifetime', async () => {
    const { client, server } = await connectedPair({ server: { maxLifetime: 10_000 } });
    await pass(9_999);
    expect(server.connection.state).toBe('open');
    await pass(1);
    expect(await client.connection.closed).toEqual({ clean: true });
  });

  it('cut off a peer that takes nothing of what is queued for it', async () => {
    const { peer, connection } = await handMadePair({ limits: { sendTimeout: 2_000 } });
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    for (let n = 0; n < 4; n += 1) await pass(500);
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_SEND_TIMEOUT' });
  });

  it("report that requests are blocked behind messages that the program doesn't take", async () => {
    const { peer, connection, errors } = await handMadePair({ limits: { maxQueuedBytes: 1_024 } });
    connection.request('a').catch(() => undefined);
    connection.pause();
    for (let n = 0; n < 3; n += 1)
      peer.say((out) => encodeFrame(Kind.MESSAGE, 0, Buffer.alloc(600_000), out));
    await turn();
    for (let n = 0; n < 4; n += 1) await pass(250);
    expect(errors).toMatchObject([{ code: 'KNSOCK_UNREAD_MESSAGES' }]);
    expect(errors[0]?.message).toContain("1 requests can't get their answers");
    // The peer sees that we are alive.
    expect(peer.of('PONG')).toHaveLength(4);
  });
});

describe('messages that the program left unread', () => {
  it('delay no end once it has left its loop over them', async () => {
    const { peer, connection } = await handMadePair();
    for (const text of ['a', 'b', 'c']) peer.say(message(text) as never);
    for await (const _ of connection) break;
    void connection.close();
    await turn();
    expect(peer.of('CLOSE')).toHaveLength(1);
    connection.destroy();
  });

  it('delay no end that the program itself asks for, and are received after it', async () => {
    const { peer, connection } = await handMadePair();
    for (const text of ['a', 'b', 'c']) peer.say(message(text) as never);
    expect(String(await connection.receive())).toBe('a');
    void connection.close();
    await turn();
    expect(peer.of('CLOSE')).toHaveLength(1);
    const rest: string[] = [];
    for await (const next of connection) if (rest.push(String(next)) === 2) break;
    expect(rest).toEqual(['b', 'c']);
    connection.destroy();
  });
});
