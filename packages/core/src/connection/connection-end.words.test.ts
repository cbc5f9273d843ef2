import { describe, expect, it } from 'vitest';
import { lines, raw } from '../framing/index.js';
import { encodeClose, encodeFrame, encodeGoaway, Kind } from '../framing/knsock/index.js';
import { handMadePair, turn, type SideOptions } from '../testing/connected-pair.js';

const FROM = ' (connection with 192.0.2.1:4000)';
const never = (): Promise<never> => new Promise(() => undefined);

type Made = Awaited<ReturnType<typeof handMadePair>>;

/** Resolves with the error that a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it succeeded');
}

/** A connection on which one request of the peer is being handled, so that it doesn't end at once. */
async function busy(options: SideOptions = {}): Promise<Made> {
  const made = await handMadePair({ requestHandler: never, ...options });
  made.peer.say((out) => encodeFrame(Kind.REQUEST, 1, Buffer.from('a'), out));
  await turn();
  return made;
}

/** A connection on bytes, whose handler never ends; it has taken the peer's message, unless `silent`. */
async function held(options: SideOptions & { silent?: boolean } = {}): Promise<Made> {
  const made = await handMadePair({ framing: lines(), ...options });
  made.peer.endsInTurn = false;
  made.connection.handleBy(async (connection) => {
    if (options.silent !== true) await connection.receive();
    await never();
  });
  if (options.silent !== true) made.peer.stream.write(Buffer.from('first\n'));
  await turn();
  return made;
}

describe('the signal of a connection', () => {
  it.each<[string, (made: Made) => void, () => Promise<Made>]>([
    [`the peer closed the connection${FROM}`, ({ peer }) => peer.say((out) => encodeClose(out)), busy],
    [`the peer ended the connection${FROM}`, ({ peer }) => peer.stream.end(), held],
    [`the connection is closing${FROM}`, ({ connection }) => void connection.close(), busy],
    [
      'cut',
      ({ connection }) => {
        connection.destroy(new Error('cut'));
      },
      busy,
    ],
  ])('fires with the reason, whenever it is read: %s', async (reason, end, make) => {
    const [early, late] = [await make(), await make()];
    const { signal } = early.connection;
    expect(signal.aborted).toBe(false);
    end(early);
    end(late);
    await turn();
    expect((signal.reason as Error).message).toBe(reason);
    expect((late.connection.signal.reason as Error).message).toBe(reason);
    expect(late.connection.signal).toBe(late.connection.signal);
    for (const { connection } of [early, late]) connection.destroy();
  });

  it('still reaches the others where a listener fails, which is reported', async () => {
    const { connection, errors } = await busy();
    connection.signal.addEventListener('abort', () => {
      throw new Error('listener');
    });
    void connection.close();
    await turn();
    expect(errors.map(({ message }) => message)).toEqual(['listener']);
    expect(connection.state).toBe('draining');
    connection.destroy();
  });
});

describe('the state of a connection', () => {
  it('is draining once either side says so, and closed once nothing more is sent', async () => {
    const { connection, peer } = await busy();
    expect(connection.state).toBe('open');
    peer.say((out) => encodeGoaway(out, 1));
    await turn();
    expect(connection.state).toBe('draining');
    connection.destroy();
    await connection.closed;
    expect(connection.state).toBe('closed');
  });

  it('is closed in the turn of `destroy`, and no message is accepted any more', async () => {
    const { connection } = await busy();
    connection.destroy();
    expect(connection.state).toBe('closed');
    expect(connection.write('x')).toBe(false);
    expect(connection.post('x')).toBe(false);
    await expect(connection.send('x')).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    await expect(connection.request('x')).rejects.toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
  });

  it('gives the same end whenever it is read', async () => {
    const { connection, peer } = await handMadePair();
    const early = connection.closed;
    peer.say((out) => encodeClose(out));
    expect(await early).toEqual({ clean: true });
    expect(await connection.closed).toBe(await early);
    expect(await connection.closed).toBe(await early);
  });
});

describe('what a sender learns', () => {
  it('after the end: that the connection is closed', async () => {
    const { connection, peer } = await handMadePair();
    peer.say((out) => encodeClose(out));
    await connection.closed;
    expect((await failureOf(connection.send('x'))).message).toBe(`the connection is closed${FROM}`);
  });

  it('after a failure: the failure', async () => {
    const { connection } = await handMadePair();
    connection.fail(new Error('first'));
    connection.fail(new Error('second'));
    const { error } = await connection.closed;
    expect(error?.message).toContain('first');
    expect(await failureOf(connection.send('x'))).toBe(error);
  });
});

describe('what a receiver learns', () => {
  it('of a clean end: that no more messages come', async () => {
    const { connection, peer } = await handMadePair();
    const receiving = connection.receive();
    peer.say((out) => encodeClose(out));
    expect(await receiving).toBeNull();
  });

  it("of an end without a CLOSE: that it wasn't clean", async () => {
    const { connection, peer } = await handMadePair();
    const receiving = failureOf(connection.receive());
    peer.stream.end();
    const words = `the connection ended without a CLOSE frame of the peer${FROM}`;
    expect((await receiving).message).toBe(words);
    expect(await connection.closed).toMatchObject({ clean: false, error: { message: words } });
  });

  it('of an end with bytes that were not sent: how many', async () => {
    const { connection, peer } = await handMadePair();
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    connection.send('x').catch(() => undefined);
    connection.destroy();
    const { error, unsentBytes } = await connection.closed;
    expect(unsentBytes).toBeGreaterThan(0);
    expect(error?.message).toBe(
      `this side destroyed the connection; ${unsentBytes} bytes of ours were not sent${FROM}`,
    );
  });
});

describe('a failed connection', () => {
  it('notifies the peer once, and reads on until the peer ends', async () => {
    const { connection, peer } = await handMadePair();
    peer.endsInTurn = false;
    connection.fail(new Error('over'));
    connection.fail(new Error('over again'));
    await turn();
    expect(peer.of('CLOSE')).toHaveLength(1);
    expect(peer.ended).toBe(true);
    peer.stream.write(Buffer.alloc(10_000));
    await turn();
    peer.stream.end();
    expect((await connection.closed).error?.message).toContain('over');
  });

  it('rejects its waiting calls with the failure', async () => {
    const { connection, peer } = await handMadePair();
    const calls = [connection.receive(), connection.request('x'), connection.ping({ timeout: 60_000 })];
    const failures = Promise.all(calls.map((call) => failureOf(call)));
    await turn();
    connection.fail(new Error('over'));
    expect((await failures).map(({ message }) => message.includes('over'))).toEqual([true, true, true]);
    peer.stream.destroy();
    await connection.closed;
  });
});

describe("after the peer's end on a framing of bytes", () => {
  it('a handler that took a message may still answer, and holds the connection until it is done', async () => {
    const { connection, peer } = await held();
    peer.stream.end();
    await turn();
    expect(connection.state).toBe('draining');
    await connection.send('answer');
    await turn();
    expect([peer.text, peer.ended]).toEqual(['answer\n', false]);
    connection.destroy();
  });

  it("a handler that only sends doesn't hold the connection", async () => {
    const { connection, peer } = await held({ silent: true });
    await connection.send('tick');
    peer.stream.end();
    await turn();
    expect(peer.ended).toBe(true);
    expect(await connection.closed).toEqual({ clean: 'unknown' });
  });

  it('a program that took over the raw bytes chooses when to end', async () => {
    const { connection, peer } = await handMadePair({ framing: raw(), role: 'client' });
    peer.endsInTurn = false;
    const stream = connection.stream();
    stream.resume();
    peer.stream.end();
    await turn();
    expect([stream.readableEnded, peer.ended]).toEqual([true, false]);
    stream.end('more');
    await connection.closed;
    expect([peer.text, peer.ended]).toEqual(['more', true]);
  });

  it('a client of raw bytes that was notified of it chooses itself when to end', async () => {
    const { connection, peer } = await handMadePair({ framing: raw(), role: 'client' });
    peer.endsInTurn = false;
    const receiving = connection.receive();
    peer.stream.end();
    expect(await receiving).toBeNull();
    await turn();
    expect(peer.ended).toBe(false);
    await connection.send('more');
    void connection.close();
    await turn();
    expect([peer.text, peer.ended]).toEqual(['more', true]);
    expect(await connection.closed).toEqual({ clean: 'unknown' });
  });

  it.each([
    ['a server of raw bytes', { framing: raw() }],
    ['a client of messages', { framing: lines(), role: 'client' as const }],
  ])('%s that was notified of it ends in turn', async (_, options) => {
    const { connection, peer } = await handMadePair(options);
    peer.endsInTurn = false;
    const receiving = connection.receive();
    peer.stream.end();
    expect(await receiving).toBeNull();
    await turn();
    expect(peer.ended).toBe(true);
    await connection.closed;
  });
});

describe('an opening connection', () => {
  it('whose peer ends before accepting it fails with this message', async () => {
    const { opening, connection, peer } = await handMadePair({ role: 'client', unwelcomed: true });
    peer.say((out) => encodeClose(out));
    const words = `the peer ended the connection before accepting it${FROM}`;
    expect((await failureOf(opening)).message).toBe(words);
    expect(await connection.closed).toMatchObject({ error: { message: words } });
  });
});
