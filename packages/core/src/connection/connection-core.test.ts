import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionClosedError, ConnectionError } from '../errors/index.js';
import { lines, raw } from '../framing/index.js';
import { encodeCancel, encodeClose, encodeFrame, encodePong, Kind } from '../framing/knsock/index.js';
import { handMadePair, turn, type HandMadePeer } from '../testing/connected-pair.js';
import { MemoryOutput } from '../testing/memory-output.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  await turn();
}

type Made = Awaited<ReturnType<typeof handMadePair>>;
const never = (): Promise<never> => new Promise(() => undefined);
const say = (peer: HandMadePeer, kind: keyof typeof Kind, id: number, body: string): void => {
  peer.say((out) => encodeFrame(Kind[kind], id, Buffer.from(body), out));
};

describe('the limits of a connection on bytes', () => {
  it('apply, except for the heartbeat, for which such a framing has no frame', async () => {
    const { connection, peer } = await handMadePair({
      framing: lines(),
      limits: { heartbeat: { interval: 1_000, timeout: 500 }, idleTimeout: 8_000 },
    });
    for (let n = 0; n < 4; n += 1) await pass(1_500);
    expect([connection.state, peer.text]).toEqual(['open', '']);
    await pass(2_000);
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_IDLE_TIMEOUT' });
  });

  it('count every byte in either direction as activity, complete message or not', async () => {
    const { connection, peer } = await handMadePair({ framing: lines(), limits: { idleTimeout: 4_000 } });
    for (let n = 0; n < 4; n += 1) {
      await pass(3_000);
      peer.stream.write(Buffer.from('x'));
      await turn();
    }
    for (let n = 0; n < 4; n += 1) {
      await pass(3_000);
      connection.write('y');
      await turn();
    }
    expect(connection.state).toBe('open');
    for (let n = 0; n < 5; n += 1) await pass(1_000);
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_IDLE_TIMEOUT' });
  });

  it('count the first byte as the first message where the program took over the raw bytes', async () => {
    for (const speaks of [true, false]) {
      const { connection, peer } = await handMadePair({
        framing: raw(),
        limits: { firstMessageTimeout: 4_000 },
      });
      const stream = connection.stream();
      stream.on('error', () => undefined).resume();
      if (speaks) peer.stream.write(Buffer.from('x'));
      await turn();
      await pass(4_000);
      expect(connection.state).toBe(speaks ? 'open' : 'closed');
      connection.destroy();
    }
  });

  it("don't count a heartbeat as activity", async () => {
    const { connection, peer } = await handMadePair({
      limits: { heartbeat: { interval: 1_000, timeout: 500 }, idleTimeout: 4_000 },
    });
    for (let n = 0, answered = 0; n < 6 && connection.state === 'open'; n += 1) {
      await pass(1_000);
      for (const { body } of peer.of('PING').slice(answered)) {
        answered += 1;
        peer.say((out) => encodePong(out, Buffer.from(body, 'latin1')));
      }
      await turn();
    }
    expect(peer.of('PING').length).toBeGreaterThan(0);
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_IDLE_TIMEOUT' });
  });

  it('count messages in either direction as activity, beside a heartbeat', async () => {
    const { connection, peer } = await handMadePair({
      limits: { heartbeat: { interval: 60_000, timeout: 500 }, idleTimeout: 4_000 },
    });
    connection.onMessage(() => undefined);
    for (let n = 0; n < 8; n += 1) {
      await pass(3_000);
      // One each way in the same period: the two don't cancel each other out.
      say(peer, 'MESSAGE', 0, 'x');
      connection.write('y');
      await turn();
    }
    expect(connection.state).toBe('open');
    connection.destroy();
  });
});

describe('idleTimeout', () => {
  const limits = { idleTimeout: 4_000, requestTimeout: 60_000 };

  it.each([
    [
      'of ours, until it is answered',
      ({ connection }: Made) => {
        const asked = connection.request('x');
        return {
          done: async (peer: HandMadePeer) => {
            say(peer, 'RESPONSE', 1, 'ok');
            expect(String(await asked)).toBe('ok');
          },
        };
      },
    ],
    [
      'of ours, until it is given up',
      ({ connection }: Made) => {
        const controller = new AbortController();
        connection.request('x', { signal: controller.signal }).catch(() => undefined);
        return {
          done: () => {
            controller.abort(new Error('enough'));
          },
        };
      },
    ],
    [
      "of the peer's, until its handler has answered",
      ({ connection, peer }: Made) => {
        let answer!: (text: string) => void;
        connection.onRequest(() => new Promise<string>((resolve) => (answer = resolve)));
        say(peer, 'REQUEST', 1, 'x');
        return {
          done: () => {
            answer('ok');
          },
        };
      },
    ],
    [
      "of the peer's, until the peer cancels it",
      ({ connection, peer }: Made) => {
        connection.onRequest(never);
        say(peer, 'REQUEST', 1, 'x');
        return {
          done: () => {
            peer.say((out) => encodeCancel(out, 1));
          },
        };
      },
    ],
    [
      'that a listener works on',
      ({ connection, peer }: Made) => {
        let finish!: () => void;
        connection.onMessage(() => new Promise<void>((resolve) => (finish = resolve)));
        say(peer, 'MESSAGE', 0, 'x');
        return {
          done: () => {
            finish();
          },
        };
      },
    ],
  ])("doesn't end a connection with a request or message %s", async (_what, begin) => {
    const made = await handMadePair({ limits });
    made.connection.handleBy(() => undefined);
    const { done } = begin(made);
    await turn();
    for (let n = 0; n < 10; n += 1) await pass(2_000);
    expect(made.connection.state).toBe('open');
    await done(made.peer);
    await turn();
    for (let n = 0; n < 3; n += 1) await pass(2_000);
    expect((await made.connection.closed).error).toMatchObject({ code: 'KNSOCK_IDLE_TIMEOUT' });
  });

  it('ends a peer that began a request and never finishes sending it', async () => {
    const { connection, peer } = await handMadePair({ limits });
    connection.onRequest(() => 'ok');
    say(peer, 'REQUEST', 1, 'a whole one');
    const part = new MemoryOutput();
    encodeFrame(Kind.REQUEST, 2, Buffer.alloc(100), part);
    peer.stream.write(part.bytes().subarray(0, 50));
    await turn();
    for (let n = 0; n < 3; n += 1) await pass(2_000);
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_IDLE_TIMEOUT' });
  });
});

describe('a peer that reads at once and answers slowly', () => {
  it("isn't taken for one that reads nothing, though requests wait for a place", async () => {
    const { connection, peer } = await handMadePair({
      welcome: { maxInFlight: 1 },
      limits: { heartbeat: { interval: 500, timeout: 400 }, sendTimeout: 2_000 },
    });
    const answers = ['a', 'b'].map((what) => connection.request(what, { timeout: 60_000 }));
    for (let n = 0, answered = 0; n < 12; n += 1) {
      await pass(500);
      for (const { body } of peer.of('PING').slice(answered)) {
        answered += 1;
        peer.say((out) => encodePong(out, Buffer.from(body, 'latin1')));
      }
      await turn();
    }
    say(peer, 'RESPONSE', 1, 'one');
    await turn();
    say(peer, 'RESPONSE', 2, 'two');
    expect((await Promise.all(answers)).map(String)).toEqual(['one', 'two']);
    connection.destroy();
  });
});

describe('a peer that reads slowly', () => {
  it('is given all the time it needs while it takes anything', async () => {
    const { connection, peer } = await handMadePair({ limits: { sendTimeout: 2_000 } });
    peer.stream.pause();
    for (let n = 0; n < 4; n += 1) while (connection.write(Buffer.alloc(50_000)));
    const { closed } = connection;
    for (let n = 0; n < 3; n += 1) {
      await pass(1_000);
      peer.stream.resume();
      await turn(1);
      peer.stream.pause();
    }
    expect(connection.state).toBe('open');
    peer.stream.resume();
    await turn(40);
    for (let n = 0; n < 6; n += 1) await pass(1_000);
    expect(connection.state).toBe('open');
    connection.destroy();
    await closed;
  });

  it('has as many sends waiting as there is room for, beside those over the bound', async () => {
    const { connection, peer } = await handMadePair({
      limits: { maxRequestsInFlight: 1, maxQueuedBytes: 1_000_000 },
    });
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    const outcomes: string[] = [];
    for (let n = 0; n < 3; n += 1)
      connection.send('x').then(
        () => outcomes.push('sent'),
        () => outcomes.push('failed'),
      );
    await turn();
    expect(outcomes).toEqual([]);
    peer.stream.resume();
    await turn(40);
    expect(outcomes).toEqual(['sent', 'sent', 'sent']);
    connection.destroy();
  });

  it('has sends over the bound wait one behind the other, up to the permitted number', async () => {
    const { connection, peer } = await handMadePair({
      limits: { maxRequestsInFlight: 1, maxQueuedBytes: 60_000 },
    });
    for (let round = 0; round < 3; round += 1) {
      peer.stream.pause();
      while (connection.write(Buffer.alloc(10_000)));
      const waiting = connection.send(Buffer.alloc(50_000));
      await expect(connection.send(Buffer.alloc(50_000))).rejects.toMatchObject({
        code: 'KNSOCK_QUEUE_FULL',
        message: expect.stringContaining(
          '(maxQueuedBytes), beyond which 1 calls of send wait already (maxRequestsInFlight)',
        ) as string,
      });
      peer.stream.resume();
      await turn(20);
      await waiting;
    }
    connection.destroy();
  });

  it("has a message that can't be encoded refused at once, though it would have to wait", async () => {
    const { connection, peer } = await handMadePair({ framing: lines() });
    peer.stream.pause();
    while (connection.write('x'.repeat(50_000)));
    expect(() => connection.write('two\nlines')).toThrow();
    await expect(connection.send('two\nlines')).rejects.toThrow();
    expect(connection.state).toBe('open');
    connection.destroy();
  });

  it('leaves an aborted send unreported', async () => {
    const { connection, peer, errors } = await handMadePair();
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    const controller = new AbortController();
    void connection.send('x', { signal: controller.signal });
    await turn();
    controller.abort(new Error('enough'));
    await turn();
    expect(errors).toEqual([]);
    connection.destroy();
  });
});

describe('messages behind our own end', () => {
  it('are kept only as far as there is room for them', async () => {
    const { connection, peer } = await handMadePair({ limits: { maxQueuedBytes: 1_024 } });
    void connection.close();
    await turn();
    expect(connection.state).toBe('closed');
    for (let n = 0; n < 200; n += 1) say(peer, 'MESSAGE', 0, 'x'.repeat(10_000));
    peer.say((out) => encodeClose(out));
    expect((await connection.closed).clean).toBe(true);
    let kept = 0;
    while ((await connection.receive()) !== null) kept += 1;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(200);
  });
});

describe('what is reported of a handler', () => {
  const failing = async (error: Error, before: (made: { peer: HandMadePeer }) => void) => {
    let fail = (_: Error): void => undefined;
    const made = await handMadePair({
      requestHandler: () => new Promise<never>((_, reject) => (fail = reject)),
    });
    say(made.peer, 'REQUEST', 1, 'a');
    await turn();
    before(made);
    await turn();
    fail(error);
    await turn();
    made.connection.destroy();
    return made.errors;
  };

  it("doesn't include that its own connection has ended", async () => {
    const ended = new ConnectionClosedError('unknown', 'ended');
    expect(await failing(ended, ({ peer }) => peer.say((out) => encodeClose(out)))).toEqual([]);
    expect(await failing(ended, ({ peer }) => peer.stream.destroy())).toEqual([]);
  });

  it('includes that another connection has ended, and any other failure', async () => {
    const other = new ConnectionError('KNSOCK_CONNECTION_REFUSED', 'another server refused');
    expect(await failing(other, () => undefined)).toEqual([other]);
    const mistake = new Error('mistake');
    expect(await failing(mistake, ({ peer }) => peer.say((out) => encodeClose(out)))).toEqual([mistake]);
  });
});

describe('requests that are blocked behind unread messages', () => {
  it('are reported once, and not while the program waits for messages or no request is pending', async () => {
    const full = async () => {
      const made = await handMadePair({ limits: { maxQueuedBytes: 1_024 } });
      for (let n = 0; n < 3; n += 1) say(made.peer, 'MESSAGE', 0, 'x'.repeat(600_000));
      return made;
    };
    const asking = await full();
    asking.connection.request('a').catch(() => undefined);
    await turn();
    for (let n = 0; n < 8; n += 1) await pass(250);
    expect(asking.errors).toMatchObject([{ code: 'KNSOCK_UNREAD_MESSAGES' }]);
    const silent = await full();
    await turn();
    for (let n = 0; n < 8; n += 1) await pass(250);
    expect(silent.errors).toEqual([]);
    for (const { connection } of [asking, silent]) connection.destroy();
  });

  it('say so when they time out, with what to do', async () => {
    const { peer, connection } = await handMadePair({ limits: { maxQueuedBytes: 1_024 } });
    for (let n = 0; n < 3; n += 1) say(peer, 'MESSAGE', 0, 'x'.repeat(600_000));
    await turn();
    const failed = connection.request('a', { timeout: 500 }).catch((error: unknown) => error);
    await pass(500);
    expect(await failed).toMatchObject({
      message: expect.stringContaining('bytes of messages wait here to be taken') as string,
      hint: expect.stringContaining('onMessage()') as string,
    });
    connection.destroy();
    const idle = await handMadePair();
    const late = idle.connection.request('a', { timeout: 500 }).catch((error: unknown) => error);
    await pass(500);
    expect(((await late) as Error).message).toMatch(/^no answer came within 500 ms \(/);
    idle.connection.destroy();
  });
});

describe('a program that waits for messages', () => {
  it("doesn't hold the connection open once the peer has ended, whatever it did before", async () => {
    const { connection, peer } = await handMadePair({ framing: lines() });
    peer.endsInTurn = false;
    connection.handleBy(async (given) => {
      for await (const _ of given) await turn(1);
    });
    peer.stream.write(Buffer.from('a\nb\n'));
    await turn();
    peer.stream.end();
    await turn();
    expect(peer.ended).toBe(true);
    expect((await connection.closed).clean).toBe('unknown');
  });

  it('may answer once more after it was notified of the end', async () => {
    const { connection, peer } = await handMadePair({ framing: lines() });
    peer.endsInTurn = false;
    connection.handleBy(async (given) => {
      given.closed.then(
        () => undefined,
        () => undefined,
      );
      for await (const _ of given);
      await turn(2);
      await given.send('all read');
      await never();
    });
    peer.stream.write(Buffer.from('a\n'));
    await turn();
    peer.stream.end();
    await turn();
    expect(peer.text).toBe('all read\n');
    connection.destroy();
  });
});
