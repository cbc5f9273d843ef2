import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeGoaway, encodeFrame, Kind } from '../framing/knsock/index.js';
import { handMadePair, turn } from '../testing/connected-pair.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const chunk = Buffer.alloc(50_000, 1);
const answer =
  (id: number, body = 'ok') =>
  (out: never) => {
    encodeFrame(Kind.RESPONSE, id, Buffer.from(body), out);
  };

/** Keeps what a promise settles with. */
function followed<T>(promise: Promise<T>): { value?: T; error?: Error & Record<string, unknown> } {
  const outcome: { value?: T; error?: Error & Record<string, unknown> } = {};
  promise.then(
    (value) => (outcome.value = value),
    (error: unknown) => (outcome.error = error as never),
  );
  return outcome;
}

describe('a request that waits for a slot at the peer', () => {
  const crowded = () => handMadePair({ welcome: { maxInFlight: 1 } });

  it('goes out when there is one', async () => {
    const { peer, connection } = await crowded();
    const [first, second] = ['a', 'b'].map((what) => followed(connection.request(what)));
    await turn();
    expect(peer.of('REQUEST').map(({ body }) => body)).toEqual(['a']);
    peer.say(answer(1) as never);
    await turn();
    expect(peer.of('REQUEST').map(({ id, body }) => [id, body])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    peer.say(answer(2, 'second') as never);
    await turn();
    expect([String(first?.value), String(second?.value)]).toEqual(['ok', 'second']);
    expect(connection.stats()).toMatchObject({ requestsWaiting: 0, queuedBytes: 0 });
  });

  it('counts as waiting until it is aborted, and not as bytes queued for the peer', async () => {
    const { connection } = await crowded();
    void followed(connection.request('a'));
    await turn();
    const before = connection.stats().queuedBytes;
    const controller = new AbortController();
    const waiting = followed(connection.request(chunk, { signal: controller.signal }));
    await turn();
    expect(connection.stats()).toMatchObject({ queuedBytes: before, requestsWaiting: 2 });
    controller.abort(new Error('enough'));
    await turn();
    expect(waiting.error?.message).toBe('enough');
    expect(connection.stats()).toMatchObject({ queuedBytes: before, requestsWaiting: 1, requestsGivenUp: 0 });
  });

  it('waits beyond maxQueuedBytes too, in its order, while messages still go out', async () => {
    const { peer, connection } = await handMadePair({
      welcome: { maxInFlight: 1 },
      limits: { maxQueuedBytes: 1_024 },
    });
    const payloads = Array.from({ length: 50 }, (_, at) => `${at}`.padEnd(1_000));
    const all = payloads.map((what) => followed(connection.request(what)));
    expect(connection.write('message')).toBe(true);
    await turn();
    expect(peer.of('MESSAGE').map(({ body }) => body)).toEqual(['message']);
    for (let id = 1; id <= payloads.length; id += 1) {
      peer.say(answer(id, `${id}`) as never);
      await turn();
    }
    expect(peer.of('REQUEST').map(({ body }) => body)).toEqual(payloads);
    expect(all.map(({ value }) => String(value))).toEqual(payloads.map((_, at) => `${at + 1}`));
  });

  it('is refused as not started over maxWaitingRequests, which the reason names', async () => {
    const { peer, connection } = await handMadePair({
      welcome: { maxInFlight: 1 },
      limits: { maxWaitingRequests: 2 },
    });
    const all = ['a', 'b', 'c', 'd'].map((what) => followed(connection.request(what)));
    await turn();
    expect(all.map(({ error }) => error?.code)).toEqual([
      undefined,
      undefined,
      undefined,
      'KNSOCK_REQUEST_NOT_STARTED',
    ]);
    expect(all[3]?.error).toMatchObject({
      message:
        'the request was not sent: 2 requests wait already, 2 of them for answers to the 1 in flight, of which there may be 1: the limit is maxWaitingRequests, 2 (connection with 192.0.2.1:4000)',
      hint: expect.stringContaining('raise maxWaitingRequests') as string,
      retryable: true,
      cause: { code: 'KNSOCK_QUEUE_FULL' },
    });
    peer.say(answer(1) as never);
    await turn();
    const later = followed(connection.request('e'));
    await turn();
    expect(later.error).toBeUndefined();
  });

  it('fails as not started where the connection ends before its turn', async () => {
    const { connection } = await crowded();
    const [sent, held] = ['a', 'b'].map((what) => followed(connection.request(what)));
    await turn();
    connection.destroy(new Error('cut'));
    await connection.closed;
    await turn();
    expect(sent?.error?.code).not.toBe('KNSOCK_REQUEST_NOT_STARTED');
    expect(held?.error).toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED', retryable: true });
  });

  it('has its own timeout from the call on, and is never sent after it', async () => {
    const { peer, connection } = await crowded();
    void followed(connection.request('a', { timeout: 60_000 }));
    const waiting = followed(connection.request('b', { timeout: 1_000 }));
    await turn();
    vi.advanceTimersByTime(999);
    await turn();
    expect(waiting.error).toBeUndefined();
    vi.advanceTimersByTime(1);
    await turn();
    expect(waiting.error).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      message:
        'the request waited 1000 ms for others before it and was never sent (connection with 192.0.2.1:4000)',
      cause: { code: 'KNSOCK_REQUEST_TIMEOUT' },
    });
    peer.say(answer(1) as never);
    await turn();
    expect(peer.of('REQUEST')).toHaveLength(1);
  });

  it('keeps the rest of its timeout once it is sent', async () => {
    const { peer, connection } = await crowded();
    void followed(connection.request('a', { timeout: 60_000 }));
    const waiting = followed(connection.request('b', { timeout: 1_000 }));
    await turn();
    vi.advanceTimersByTime(900);
    peer.say(answer(1) as never);
    await turn();
    expect(peer.of('REQUEST')).toHaveLength(2);
    vi.advanceTimersByTime(99);
    await turn();
    expect(waiting.error).toBeUndefined();
    vi.advanceTimersByTime(2);
    await turn();
    expect(waiting.error).toMatchObject({ code: 'KNSOCK_REQUEST_TIMEOUT' });
  });

  it('stops listening to its signal once it is sent or aborted', async () => {
    const { peer, connection } = await crowded();
    const { signal } = new AbortController();
    void followed(connection.request('a'));
    void followed(connection.request('b', { signal }));
    await turn();
    peer.say(answer(1) as never);
    await turn();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    peer.say(answer(2) as never);
    await turn();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('keeps its place behind a cancelled one, which the peer counts until it answers', async () => {
    const { peer, connection } = await crowded();
    const controller = new AbortController();
    const cancelled = followed(connection.request('a', { signal: controller.signal }));
    const waiting = followed(connection.request('b'));
    await turn();
    controller.abort(new Error('enough'));
    await turn();
    expect(cancelled.error?.message).toBe('enough');
    expect(peer.of('CANCEL').map(({ id }) => id)).toEqual([1]);
    expect(peer.of('REQUEST')).toHaveLength(1);
    peer.say(answer(1) as never);
    await turn();
    expect(peer.of('REQUEST').map(({ body }) => body)).toEqual(['a', 'b']);
    peer.say(answer(2) as never);
    await turn();
    expect(String(waiting.value)).toBe('ok');
  });
});

describe('a request that waits for the peer to read', () => {
  async function slow(limits = {}) {
    const made = await handMadePair({ limits });
    made.peer.stream.pause();
    while (made.connection.write(chunk));
    return made;
  }

  it('keeps its place in the order of all that is sent', async () => {
    const { peer, connection } = await slow();
    connection.write('before');
    const asked = followed(connection.request('asked'));
    connection.write('behind');
    expect(connection.stats().requestsWaiting).toBe(1);
    peer.stream.resume();
    await turn(20);
    const order = peer.frames.map(({ kind, body }) => (body.length < 10 ? `${kind} ${body}` : ''));
    expect(order.filter((one) => one !== '').slice(-3)).toEqual([
      `${Kind.MESSAGE} before`,
      `${Kind.REQUEST} asked`,
      `${Kind.MESSAGE} behind`,
    ]);
    peer.say(answer(1) as never);
    await turn();
    expect(String(asked.value)).toBe('ok');
  });

  it('waits beyond maxQueuedBytes too, and keeps its place before later messages', async () => {
    const { peer, connection } = await slow({ maxQueuedBytes: 1_024 });
    const all = [1, 2, 3].map((at) => followed(connection.request(`${at}`.padEnd(1_000))));
    void connection.send('behind');
    peer.stream.resume();
    await turn(20);
    const order = peer.frames.filter(({ body }) => body.length < 2_000).map(({ body }) => body.trim());
    expect(order.slice(-4)).toEqual(['1', '2', '3', 'behind']);
    for (const id of [1, 2, 3]) peer.say(answer(id) as never);
    await turn();
    expect(all.map(({ value }) => String(value))).toEqual(['ok', 'ok', 'ok']);
  });

  it('is refused over maxWaitingRequests, with what they wait for', async () => {
    const { connection } = await slow({ maxWaitingRequests: 1 });
    const [first, second] = ['a', 'b'].map((what) => followed(connection.request(what)));
    await turn();
    expect(first?.error).toBeUndefined();
    expect(second?.error).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      message: expect.stringMatching(
        /^the request was not sent: 1 requests wait already, until the peer has read the \d+ bytes before them/,
      ) as string,
    });
  });

  it('says at its timeout what it waited for', async () => {
    const { connection } = await slow();
    const asked = followed(connection.request('asked', { timeout: 1_000 }));
    vi.advanceTimersByTime(1_000);
    await turn();
    expect(asked.error?.message).toBe(
      'the request waited 1000 ms until the peer has read what was sent before it and was never sent (connection with 192.0.2.1:4000)',
    );
  });

  it('is withdrawn when it is aborted', async () => {
    const { peer, connection } = await slow();
    const controller = new AbortController();
    const before = connection.stats().queuedBytes;
    const asked = followed(connection.request('asked', { signal: controller.signal }));
    expect(connection.stats().queuedBytes).toBe(before + 5);
    controller.abort(new Error('enough'));
    expect(connection.stats()).toMatchObject({ queuedBytes: before, requestsWaiting: 0 });
    peer.stream.resume();
    await turn(20);
    expect(asked.error?.message).toBe('enough');
    expect(peer.of('REQUEST')).toEqual([]);
    expect(peer.of('CANCEL')).toEqual([]);
  });

  it('fails as not started where the connection ends before', async () => {
    const { connection } = await slow();
    const asked = followed(connection.request('asked'));
    connection.destroy(new Error('cut'));
    await connection.closed;
    await turn();
    expect(asked.error).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      message: 'the connection ended before the request was sent (connection with 192.0.2.1:4000)',
      cause: { message: 'cut' },
    });
  });
});

describe('a peer that drains', () => {
  it('no longer counts the requests that it excluded, cancelled ones included', async () => {
    const { peer, connection } = await handMadePair();
    const controller = new AbortController();
    const first = followed(connection.request('a'));
    const second = followed(connection.request('b', { signal: controller.signal }));
    const third = followed(connection.request('c'));
    await turn();
    controller.abort(new Error('enough'));
    await turn();
    expect(connection.stats()).toMatchObject({ requestsWaiting: 3, requestsGivenUp: 1 });
    peer.say((out) => encodeGoaway(out, 1));
    await turn();
    expect(connection.stats()).toMatchObject({ requestsWaiting: 1, requestsGivenUp: 0 });
    expect(second.error?.message).toBe('enough');
    expect(third.error?.message).toBe(
      "the peer is draining and didn't start the request (connection with 192.0.2.1:4000)",
    );
    peer.say(answer(1) as never);
    await turn();
    expect(String(first.value)).toBe('ok');
  });

  it('leaves cancelled requests that it had started to be answered', async () => {
    const { peer, connection } = await handMadePair();
    const controller = new AbortController();
    void followed(connection.request('a', { signal: controller.signal }));
    await turn();
    controller.abort(new Error('enough'));
    peer.say((out) => encodeGoaway(out, 1));
    await turn();
    expect(connection.stats().requestsGivenUp).toBe(1);
    peer.say(answer(1) as never);
    await turn();
    expect(connection.stats()).toMatchObject({ requestsGivenUp: 0, requestsWaiting: 0 });
    expect(connection.state).toBe('draining');
  });

  it('lets a close end at once where nothing is left', async () => {
    const { peer, connection } = await handMadePair();
    const asked = followed(connection.request('a'));
    await turn();
    void connection.close();
    peer.say((out) => encodeGoaway(out, 0));
    await turn();
    expect(asked.error).toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
    expect(peer.of('CLOSE')).toHaveLength(1);
  });
});
