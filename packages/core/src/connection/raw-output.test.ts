import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { raw } from '../framing/index.js';
import { handMadePair, turn } from '../testing/connected-pair.js';

const framing = raw();

/** A stream whose peer is written by hand, and reads nothing yet. */
async function towardsSlowPeer() {
  const made = await handMadePair({ framing });
  made.peer.stream.pause();
  const stream = made.connection.stream();
  stream.on('error', () => undefined);
  return { ...made, written: made.stream.writes, stream };
}

describe('a write to a raw stream', () => {
  it('counts as unsent, and is not done, until the system has taken it', async () => {
    const { peer, stream } = await towardsSlowPeer();
    const done: string[] = [];
    stream.write('a', () => done.push('a'));
    stream.write('bc', () => done.push('bc'));
    await turn();
    expect([stream.writableLength, done]).toEqual([3, []]);
    peer.stream.resume();
    await turn();
    expect([stream.writableLength, done, peer.text]).toEqual([0, ['a', 'bc'], 'abc']);
  });

  it('finishes a stream only when the system has taken everything', async () => {
    const { peer, stream } = await towardsSlowPeer();
    const large = Buffer.alloc(1_000_000);
    let ends = 0;
    stream.write(large);
    stream.write('', () => (ends += 1));
    stream.end();
    await turn();
    expect([stream.writableFinished, ends, stream.writableLength]).toEqual([false, 0, large.length]);
    peer.stream.resume();
    await once(stream, 'finish');
    expect([ends, Buffer.concat(peer.heard).length]).toEqual([1, large.length]);
  });

  it('that is empty is done without another turn', async () => {
    const { stream } = await towardsSlowPeer();
    const done = vi.fn();
    stream.write('', done);
    await new Promise<void>((resolve) => {
      process.nextTick(resolve);
    });
    expect(done).toHaveBeenCalledOnce();
  });

  it('goes out with those that waited, and a large one in pieces, each after the system took the last', async () => {
    const { peer, stream, written } = await towardsSlowPeer();
    const large = Buffer.alloc(600_000, 'x');
    stream.write('a');
    stream.write('b');
    stream.write(large);
    stream.write('c');
    await turn();
    expect(written.map(String)).toEqual(['a']);
    peer.stream.resume();
    await turn(20);
    expect(written.map(({ length }) => length)).toEqual([1, 262_144, 262_144, 75_714]);
    expect(peer.text).toBe(`ab${large.toString()}c`);
  });

  it('keeps its place behind messages that were sent before', async () => {
    const { connection, peer } = await handMadePair({ framing });
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000, 'm')));
    void connection.send(Buffer.from('last'));
    const stream = connection.stream();
    const done = vi.fn();
    stream.write('stream', done);
    await turn();
    expect(done).not.toHaveBeenCalled();
    peer.stream.resume();
    await turn(20);
    expect(peer.text).toMatch(/^m+laststream$/);
    expect(done).toHaveBeenCalledOnce();
  });

  it('fails, and those behind it, when the stream is destroyed or its connection is gone', async () => {
    const destroyed = await towardsSlowPeer();
    const outcomes: unknown[] = [];
    destroyed.stream.write('a', (error) => outcomes.push(error));
    destroyed.stream.write('b', (error) => outcomes.push(error));
    destroyed.stream.destroy();
    await turn();
    const closed = { code: 'KNSOCK_CONNECTION_CLOSED' };
    expect(outcomes).toMatchObject([closed, closed]);
    const gone = await towardsSlowPeer();
    const failed = new Promise((resolve) => gone.stream.write('a', resolve));
    gone.connection.destroy(new Error('cut'));
    expect(await failed).toMatchObject({ message: 'cut' });
  });

  it("doesn't stop the stream from reading, however much waits for the peer", async () => {
    const { connection, peer } = await handMadePair({ framing, limits: { maxQueuedBytes: 1_024 } });
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    const stream = connection.stream();
    stream.write(Buffer.alloc(1_000_000));
    for (let n = 0; n < 20; n += 1) peer.stream.write(Buffer.alloc(50_000));
    peer.stream.end();
    let read = 0;
    for await (const chunk of stream) read += (chunk as Buffer).length;
    expect(read).toBe(1_000_000);
    connection.destroy();
  });
});

describe('a peer that reads nothing', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'],
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is cut off after sendTimeout, however few bytes wait for it', async () => {
    const { peer, connection } = await handMadePair({ framing, limits: { sendTimeout: 2_000 } });
    peer.stream.pause();
    connection.stream().write('a few');
    for (let n = 0; n < 5; n += 1) {
      vi.advanceTimersByTime(500);
      await turn();
    }
    expect((await connection.closed).error).toMatchObject({ code: 'KNSOCK_SEND_TIMEOUT' });
  });
});
