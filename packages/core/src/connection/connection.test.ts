import { describe, expect, it } from 'vitest';
import { RequestError } from '../errors/index.js';
import {
  CLOSE_CODE,
  encodeCancel,
  encodeClose,
  encodeError,
  encodeFrame,
  encodeGoaway,
  encodePing,
  encodePong,
  encodeRefused,
  encodeRejected,
  Kind,
} from '../framing/knsock/index.js';
import { json, knsock, lengthPrefixed, lines, type Framing } from '../framing/index.js';
import { connectedPair, handMadePair, sideOver, turn } from '../testing/connected-pair.js';
import { encodeAll } from '../testing/memory-output.js';
import { memoryPair } from '../transport/memory-pair.js';

/** How error messages name the other end of these connections. */
const FROM = ' (connection with 192.0.2.1:4000)';

const text = (bytes: unknown): string => String(bytes);
const token = Buffer.from('12345678');
const understood = { features: new Map([[CLOSE_CODE, Buffer.alloc(0)]]) };

/** Resolves with what a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as never;
  }
  throw new Error('it succeeded');
}

describe('opening', () => {
  it('sends WELCOME first on the server, and in answer on the client', async () => {
    const server = await handMadePair({ unwelcomed: true });
    await turn();
    expect(server.peer.of('WELCOME')).toHaveLength(1);
    const client = await handMadePair({ role: 'client', unwelcomed: true });
    await turn();
    expect(client.peer.frames).toEqual([]);
    client.peer.welcome();
    await client.opening;
    await turn();
    expect(client.peer.of('WELCOME')).toHaveLength(1);
  });

  it('announces our limits', async () => {
    const { peer } = await handMadePair({ limits: { maxMessageBytes: 0x1234, maxRequestsInFlight: 7 } });
    await turn();
    const [{ body } = { body: '' }] = peer.of('WELCOME');
    expect(Buffer.from(body, 'latin1').subarray(0, 8).toString('hex')).toBe('0000123400000007');
    expect(body).toContain('close-code');
  });

  it.each<[string, (peer: Awaited<ReturnType<typeof handMadePair>>['peer']) => void, object]>([
    [
      'another frame than WELCOME',
      (peer) => peer.say((out) => encodeFrame(Kind.MESSAGE, 0, token, out)),
      { code: 'KNSOCK_FRAMING_MISMATCH' },
    ],
    [
      'REFUSED',
      (peer) => peer.say((out) => encodeRefused(out, 'expired', 'too late')),
      { code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED', reason: 'expired' },
    ],
    ['a CLOSE', (peer) => peer.say((out) => encodeClose(out)), { code: 'KNSOCK_CONNECTION_CLOSED' }],
    ['an end', (peer) => peer.stream.end(), { code: 'KNSOCK_CONNECTION_CLOSED' }],
    ['a reset', (peer) => peer.stream.destroy(), { code: 'KNSOCK_CONNECTION_CLOSED' }],
  ])('rejects at %s', async (_what, say, expected) => {
    const { peer, opening, connection } = await handMadePair({ role: 'client', unwelcomed: true });
    say(peer);
    expect(await failureOf(opening)).toMatchObject(expected);
    connection.destroy();
    expect(await connection.closed).toMatchObject({ clean: false });
    expect(connection.state).toBe('closed');
  });

  it('explains an end before the first byte by what is known of it', async () => {
    const explained = new Error('probably refused');
    const { peer, opening } = await handMadePair({
      role: 'client',
      unwelcomed: true,
      explainEnd: () => explained,
    });
    peer.stream.end();
    expect(await failureOf(opening)).toBe(explained);
  });

  it("doesn't explain it so once a byte has arrived", async () => {
    const { peer, connection } = await handMadePair({
      role: 'client',
      explainEnd: () => new Error('refused'),
    });
    peer.stream.end();
    const { error } = await connection.closed;
    expect(error?.message).not.toBe('refused');
  });
});

describe('messages', () => {
  it('arrive in order, whichever call sent them', async () => {
    const { client, server } = await connectedPair();
    const got: string[] = [];
    server.connection.onMessage((message) => void got.push(text(message)));
    client.connection.write('1');
    await client.connection.send('2');
    expect(client.connection.post('3')).toBe(true);
    await client.connection.ready();
    expect(client.connection.write('4')).toBe(true);
    await turn();
    expect(got).toEqual(['1', '2', '3', '4']);
    expect(client.connection.stats()).toMatchObject({
      messagesSent: 4,
      messagesReceived: 0,
      messagesDropped: 0,
    });
    expect(server.connection.stats()).toMatchObject({ messagesSent: 0, messagesReceived: 4 });
    expect(server.connection.stats().bytesReceived).toBe(client.connection.stats().bytesSent);
  });

  it('are pulled one by one, or iterated to the end', async () => {
    const { client, server } = await connectedPair();
    for (const message of ['1', '2', '3']) client.connection.write(message);
    expect(text(await server.connection.receive())).toBe('1');
    void client.connection.close();
    const rest: string[] = [];
    for await (const message of server.connection) rest.push(text(message));
    expect(rest).toEqual(['2', '3']);
    expect(await server.connection.receive()).toBeNull();
  });

  it('larger than the peer takes are refused by `send`, and dropped and counted by the others', async () => {
    const { client } = await connectedPair({ server: { limits: { maxMessageBytes: 10 } } });
    const { connection } = client;
    const large = 'x'.repeat(11);
    expect(await failureOf(connection.send(large))).toMatchObject({ code: 'KNSOCK_MESSAGE_TOO_LARGE' });
    expect([connection.write(large), connection.post(large)]).toEqual([false, false]);
    expect(connection.stats()).toMatchObject({ messagesDropped: 2, messagesSent: 0 });
    expect(await failureOf(connection.request(large))).toMatchObject({ code: 'KNSOCK_MESSAGE_TOO_LARGE' });
    expect(connection.write('x'.repeat(10))).toBe(true);
    expect(connection.state).toBe('open');
  });

  it('over our limit end the connection, and the peer learns why', async () => {
    const { peer, connection } = await handMadePair({ limits: { maxMessageBytes: 10 } });
    peer.say((out) => encodeFrame(Kind.MESSAGE, 0, Buffer.alloc(11), out));
    expect(await connection.closed).toMatchObject({
      clean: false,
      error: { code: 'KNSOCK_MESSAGE_TOO_LARGE' },
    });
    expect(peer.of('CLOSE')[0]?.body).toContain('KNSOCK_MESSAGE_TOO_LARGE');
  });

  it("that can't be sent at all make `write` throw and `send` reject", async () => {
    const { client } = await connectedPair();
    expect(() => client.connection.write(7 as never)).toThrow();
    expect(() => client.connection.post({} as never)).toThrow();
    await failureOf(client.connection.send(null as never));
    await failureOf(client.connection.request(undefined as never));
    expect(client.connection.stats().messagesSent).toBe(0);
  });

  it('after the end are refused, dropped and counted', async () => {
    const { client, server } = await connectedPair();
    server.connection.destroy();
    await client.connection.closed;
    const { connection } = client;
    expect([connection.write('a'), connection.post('b')]).toEqual([false, false]);
    expect(connection.stats().messagesDropped).toBe(2);
    for (const call of [connection.send('c'), connection.ready()])
      expect(await failureOf(call)).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    expect(await failureOf(connection.request('d'))).toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
    expect(await failureOf(connection.ping())).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    expect(client.errors).toEqual([]);
  });

  it("whose `send` isn't awaited are reported where they fail, and others aren't", async () => {
    const { client } = await connectedPair({ server: { limits: { maxMessageBytes: 1 } } });
    void client.connection.send('too long');
    client.connection.send('awaited').catch(() => undefined);
    await turn();
    expect(client.errors.map(({ message }) => message)).toEqual([expect.stringContaining('8 bytes')]);
  });

  it('aborted before they are sent are never sent', async () => {
    const { client } = await connectedPair();
    const reason = new Error('changed my mind');
    expect(await failureOf(client.connection.send('a', { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(client.connection.stats().messagesSent).toBe(0);
  });
});

describe('back-pressure', () => {
  const chunk = Buffer.alloc(40_000, 1);

  /** A connection whose peer doesn't read: what is written stays in the stream. */
  async function congested(limits: { maxQueuedBytes?: number; maxRequestsInFlight?: number } = {}) {
    const made = await handMadePair({ limits });
    made.peer.stream.pause();
    while (made.connection.write(chunk));
    return made;
  }

  it('asks to wait, accepts up to the bound, then drops and reports it once', async () => {
    const { connection, errors } = await congested({ maxQueuedBytes: 200_000 });
    let taken = 0;
    while (connection.post(chunk)) taken += 1;
    expect(taken).toBeGreaterThan(0);
    expect(connection.stats().queuedBytes).toBeLessThanOrEqual(200_000);
    for (let n = 0; n < 3; n += 1) expect(connection.write(chunk)).toBe(false);
    expect(connection.stats().messagesDropped).toBe(4);
    expect(errors).toMatchObject([{ code: 'KNSOCK_QUEUE_FULL' }]);
  });

  it('ends when the peer reads again: what waited goes out in order', async () => {
    const { connection, peer } = await congested();
    const ready = connection.ready();
    connection.write('last');
    peer.stream.resume();
    await ready;
    await turn();
    expect(peer.of('MESSAGE').at(-1)?.body).toBe('last');
    expect(connection.write('more')).toBe(true);
    expect(connection.stats().queuedBytes).toBeLessThan(100);
  });

  it('holds a `send` until its turn, and lets it be aborted', async () => {
    const { connection, peer } = await congested();
    const controller = new AbortController();
    const reason = new Error('late');
    const kept = connection.send('kept');
    const dropped = connection.send('dropped', { signal: controller.signal });
    controller.abort(reason);
    expect(await failureOf(dropped)).toBe(reason);
    peer.stream.resume();
    await kept;
    await turn();
    const bodies = peer.of('MESSAGE').map(({ body }) => body);
    expect(bodies).toContain('kept');
    expect(bodies).not.toContain('dropped');
  });

  it('lets an awaited `send` wait beyond the bound, up to as many as requests may be in flight', async () => {
    const { connection, peer } = await congested({ maxQueuedBytes: 1_024, maxRequestsInFlight: 2 });
    const sends = [1, 2].map(() => connection.send(chunk));
    sends.forEach((send) => void send.then(() => undefined));
    expect(await failureOf(connection.send(chunk))).toMatchObject({ code: 'KNSOCK_QUEUE_FULL' });
    await turn();
    peer.stream.resume();
    await Promise.all(sends);
    peer.stream.pause();
    while (connection.write(chunk));
    // Sent ones make room for others.
    const again = connection.send(chunk);
    peer.stream.resume();
    await again;
  });

  it("drops a `send` over the bound that isn't awaited, and reports it", async () => {
    const { connection, errors } = await congested({ maxQueuedBytes: 1_024 });
    void connection.send(chunk);
    await turn();
    expect(errors).toMatchObject([{ code: 'KNSOCK_QUEUE_FULL' }]);
  });

  it('rejects the waiting calls when the connection ends, with what was not sent', async () => {
    const { connection, peer } = await congested();
    const waiting = [connection.send('a'), connection.ready()];
    const failures = waiting.map(failureOf);
    peer.stream.destroy();
    connection.destroy(new Error('cut'));
    for (const failure of failures) expect((await failure).message).toBe('cut');
    expect(await connection.closed).toMatchObject({ clean: false, error: { message: 'cut' } });
  });
});

describe('requests', () => {
  const asked = async (handler: (payload: string) => unknown) => {
    const pair = await connectedPair({
      server: { requestHandler: ({ payload }) => handler(text(payload)) as never },
    });
    return { ...pair, ask: (what: string) => pair.client.connection.request(what).then(text) };
  };

  it('are answered in any order, each once', async () => {
    const answers = new Map<string, (answer: string) => void>();
    const { client, server, ask } = await asked(
      (what) => new Promise((resolve) => answers.set(what, resolve)),
    );
    const all = ['a', 'b', 'c'].map(ask);
    await turn();
    expect(client.connection.stats().requestsWaiting).toBe(3);
    expect(server.connection.stats().requestsHandled).toBe(3);
    for (const what of ['c', 'a', 'b']) answers.get(what)?.(`${what}!`);
    expect(await Promise.all(all)).toEqual(['a!', 'b!', 'c!']);
    expect(client.connection.stats()).toMatchObject({
      requestsWaiting: 0,
      messagesSent: 3,
      messagesReceived: 3,
    });
    expect(server.connection.stats()).toMatchObject({
      requestsHandled: 0,
      messagesSent: 3,
      messagesReceived: 3,
    });
  });

  it('go both ways at once', async () => {
    const { client, server } = await connectedPair();
    client.connection.onRequest(({ payload }) => `client: ${text(payload)}`);
    server.connection.onRequest(({ payload }) => `server: ${text(payload)}`);
    const answers = await Promise.all([client.connection.request('1'), server.connection.request('2')]);
    expect(answers.map(text)).toEqual(['server: 1', 'client: 2']);
  });

  it("fail with a handler's own message only where it throws a RequestError", async () => {
    const { ask, server } = await asked((what) => {
      if (what === 'own') throw new RequestError('no-such-thing', 'there is none');
      throw new Error('secret');
    });
    expect(await failureOf(ask('own'))).toMatchObject({
      remoteCode: 'no-such-thing',
      message: 'there is none',
    });
    const internal = await failureOf(ask('other'));
    expect(internal.message).not.toContain('secret');
    expect(internal).toMatchObject({ remoteCode: 'internal' });
    expect(server.errors.map(({ message }) => message)).toEqual(['secret']);
    expect(server.connection.state).toBe('open');
  });

  it('whose answer is too large for the peer fail, and the connection stays open', async () => {
    const { client, server } = await connectedPair({
      client: { limits: { maxMessageBytes: 4 } },
      server: { requestHandler: ({ payload }) => (text(payload) === 'big' ? 'x'.repeat(5) : 'fits') },
    });
    expect(await failureOf(client.connection.request('big'))).toMatchObject({
      remoteCode: 'answer-too-large',
    });
    expect(text(await client.connection.request('ok'))).toBe('fits');
    expect(server.errors).toMatchObject([{ code: 'KNSOCK_MESSAGE_TOO_LARGE' }]);
  });

  it('without a handler are refused once the program had its turn to set one', async () => {
    const { client, server } = await connectedPair();
    expect(await failureOf(client.connection.request('a'))).toMatchObject({ remoteCode: 'no-handler' });
    server.connection.onRequest(() => 'now');
    expect(text(await client.connection.request('b'))).toBe('now');
    expect(() => {
      server.connection.onRequest(() => 'twice');
    }).toThrow(expect.objectContaining({ code: 'KNSOCK_CONSUMED' }) as Error);
  });

  it('that arrive before the connection is handed out wait for the handler', async () => {
    const [near, far] = memoryPair();
    const client = sideOver(near, { role: 'client' });
    const server = sideOver(far);
    await Promise.all([client.connection.open(), server.connection.open()]);
    const answer = client.connection.request('early').then(text);
    await turn();
    expect(server.connection.stats().requestsHandled).toBe(1);
    server.connection.handleBy((connection) => {
      connection.onRequest(({ payload }) => `late: ${text(payload)}`);
    });
    expect(await answer).toBe('late: early');
  });

  it("over the peer's limit wait here for a slot, in order", async () => {
    const running: ((answer: string) => void)[] = [];
    const begun: string[] = [];
    const { client } = await connectedPair({
      server: {
        limits: { maxRequestsInFlight: 1 },
        requestHandler: ({ payload }) => {
          begun.push(text(payload));
          return new Promise((resolve) => running.push(resolve));
        },
      },
    });
    const all = ['a', 'b', 'c'].map((what) => client.connection.request(what).then(text));
    await turn();
    expect(begun).toEqual(['a']);
    expect(client.connection.stats()).toMatchObject({ requestsWaiting: 3, maxRequestsWaiting: 1 });
    for (const [at, answer] of ['1', '2', '3'].entries()) {
      running[at]?.(answer);
      await turn();
    }
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(await Promise.all(all)).toEqual(['1', '2', '3']);
  });

  it('over our limit are rejected as busy', async () => {
    const { peer } = await handMadePair({
      limits: { maxRequestsInFlight: 1 },
      requestHandler: () => new Promise(() => undefined),
    });
    for (const id of [1, 2]) peer.say((out) => encodeFrame(Kind.REQUEST, id, token, out));
    await turn();
    expect(peer.of('REJECTED')).toMatchObject([{ id: 2, body: expect.stringContaining('busy') as string }]);
    expect(peer.of('REJECTED')[0]?.body).toContain('1 requests are in flight');
  });

  it('are cancelled by CANCEL, and their late answer is dropped', async () => {
    let signal: AbortSignal | undefined;
    let answer!: (what: string) => void;
    const { client, server } = await connectedPair({
      server: {
        requestHandler: (request) => {
          ({ signal } = request);
          return new Promise((resolve) => (answer = resolve));
        },
      },
    });
    const controller = new AbortController();
    const asking = client.connection.request('a', { signal: controller.signal });
    await turn();
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await failureOf(asking)).toBe(reason);
    await turn();
    expect(signal?.aborted).toBe(true);
    expect(client.connection.stats()).toMatchObject({ requestsGivenUp: 1, requestsWaiting: 1 });
    answer('late');
    await turn();
    expect(client.connection.stats()).toMatchObject({ requestsGivenUp: 0, requestsWaiting: 0 });
    expect([client.connection.state, server.connection.state]).toEqual(['open', 'open']);
  });

  it('aborted before they began are never sent', async () => {
    const { client } = await connectedPair();
    const reason = new Error('before');
    const asking = client.connection.request('a', { signal: AbortSignal.abort(reason) });
    expect(await failureOf(asking)).toBe(reason);
    expect(client.connection.stats()).toMatchObject({ messagesSent: 0, requestsWaiting: 0 });
  });

  it('time out by their own timeout', async () => {
    const { client } = await asked(() => new Promise(() => undefined));
    const failure = await failureOf(client.connection.request('a', { timeout: 1 }));
    expect(failure).toMatchObject({
      code: 'KNSOCK_REQUEST_TIMEOUT',
      message: `no answer came within 1 ms${FROM}`,
    });
  });

  it("that the peer didn't start fail as such, with its message", async () => {
    const { peer, connection } = await handMadePair();
    const asking = connection.request('a');
    await turn();
    const [{ id } = { id: 0 }] = peer.of('REQUEST');
    expect(id).toBe(1);
    peer.say((out) => encodeRejected(out, id, 'busy', 'come later'));
    expect(await failureOf(asking)).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      message: expect.stringContaining('(busy): come later') as string,
    });
  });

  it('that the peer failed without a message name the code that it sent', async () => {
    const { peer, connection } = await handMadePair();
    const asking = connection.request('a');
    peer.say((out) => encodeError(out, 1, 'odd', ''));
    expect(await failureOf(asking)).toMatchObject({
      remoteCode: 'odd',
      message: `the peer's handler failed (odd)${FROM}`,
    });
  });

  it('to a peer that accepts none are refused', async () => {
    const { connection } = await handMadePair({ welcome: { maxInFlight: 0 } });
    expect(await failureOf(connection.request('a'))).toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
  });

  it('cancelled while they wait to begin are rejected as never begun', async () => {
    const [near, far] = memoryPair();
    const client = sideOver(near, { role: 'client' });
    const server = sideOver(far);
    await Promise.all([client.connection.open(), server.connection.open()]);
    const controller = new AbortController();
    client.connection.request('a', { signal: controller.signal }).catch(() => undefined);
    await turn();
    controller.abort(new Error('enough'));
    await turn();
    expect(server.connection.stats().requestsHandled).toBe(0);
    expect(client.connection.stats().requestsGivenUp).toBe(0);
    let asked = 0;
    server.connection.handleBy((connection) => {
      connection.onRequest(() => {
        asked += 1;
        return '';
      });
    });
    await turn();
    expect(asked).toBe(0);
  });

  it.each<[string, (id: number) => (out: never) => void]>([
    [
      "an id that doesn't grow",
      () => (out) => {
        encodeFrame(Kind.REQUEST, 5, token, out);
        encodeFrame(Kind.REQUEST, 5, token, out);
      },
    ],
    ['an answer to nothing', () => (out) => encodeFrame(Kind.RESPONSE, 9, token, out)],
    ['an error for nothing', () => (out) => encodeError(out, 9, 'x', '')],
    ['a second WELCOME', () => (out) => encodeFrame(Kind.WELCOME, 0, Buffer.alloc(8), out)],
    [
      'a second GOAWAY',
      () => (out) => {
        encodeGoaway(out, 0);
        encodeGoaway(out, 0);
      },
    ],
  ])('and %s end the connection with a protocol error', async (_what, say) => {
    const { peer, connection } = await handMadePair({ requestHandler: () => 'x' });
    peer.say(say(0) as never);
    expect(await connection.closed).toMatchObject({
      clean: false,
      error: { code: 'KNSOCK_MALFORMED_FRAME' },
    });
    expect(peer.of('CLOSE')[0]?.body).toContain('KNSOCK_MALFORMED_FRAME');
  });
});

describe("the peer's GOAWAY", () => {
  it('fails the requests that it excludes as never started, and lets the rest be answered', async () => {
    const { peer, connection } = await handMadePair();
    const [first, second] = ['a', 'b'].map((what) => connection.request(what));
    await turn();
    let drained = 0;
    connection.onDraining(() => (drained += 1));
    peer.say((out) => encodeGoaway(out, 1));
    expect(await failureOf(second as Promise<unknown>)).toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
    expect(connection.state).toBe('draining');
    expect(drained).toBe(1);
    expect(await failureOf(connection.request('c'))).toMatchObject({ code: 'KNSOCK_REQUEST_NOT_STARTED' });
    peer.say((out) => {
      // A REJECTED that crossed the GOAWAY is ignored.
      encodeRejected(out, 2, 'draining', '');
      encodeFrame(Kind.RESPONSE, 1, Buffer.from('done'), out);
    });
    expect(text(await first)).toBe('done');
    expect(connection.write('still')).toBe(true);
  });

  it('calls late listeners at once', async () => {
    const { peer, connection } = await handMadePair();
    peer.say((out) => encodeGoaway(out, 0));
    await turn();
    let told = 0;
    connection.onDraining(() => (told += 1));
    await turn(1);
    expect(told).toBe(1);
  });
});

describe('signs of life', () => {
  it('are requested by PING, and answered by PONG', async () => {
    const { client } = await connectedPair();
    expect(await client.connection.ping()).toBeGreaterThanOrEqual(0);
    const { peer } = await handMadePair();
    peer.say((out) => encodePing(out, token));
    await turn();
    expect(peer.of('PONG').map(({ body }) => body)).toEqual(['12345678']);
  });

  it("that weren't requested are ignored", async () => {
    const { peer, connection } = await handMadePair();
    peer.say((out) => encodePong(out, token));
    await turn();
    expect(connection.state).toBe('open');
  });

  it("that don't arrive fail the ping by its timeout, or by its signal", async () => {
    const { connection } = await handMadePair();
    expect(await failureOf(connection.ping({ timeout: 1 }))).toMatchObject({
      code: expect.stringMatching(/TIMEOUT/) as string,
    });
    const controller = new AbortController();
    const pinging = connection.ping({ signal: controller.signal });
    const reason = new Error('no more');
    controller.abort(reason);
    expect(await failureOf(pinging)).toBe(reason);
  });
});

describe('close', () => {
  it('is clean on both sides, and is reported once on each', async () => {
    const { client, server } = await connectedPair();
    const told: string[] = [];
    server.connection.onDraining(() => told.push('draining'));
    server.connection.whenGone(() => told.push('gone'));
    await client.connection.close();
    expect(await client.connection.closed).toEqual({ clean: true });
    expect(await server.connection.closed).toEqual({ clean: true });
    expect(told).toEqual(['draining', 'gone']);
    expect([client.connection.state, server.connection.state]).toEqual(['closed', 'closed']);
    expect([client.errors, server.errors]).toEqual([[], []]);
    let late = 0;
    server.connection.whenGone(() => (late += 1));
    expect(late).toBe(1);
    expect(client.connection.close()).toBe(client.connection.close());
  });

  it("carries a program's own code and text to a peer that knows them", async () => {
    const { client, server } = await connectedPair();
    await client.connection.close({ code: 'going-home', text: 'good night' });
    expect(await server.connection.closed).toEqual({ clean: true, code: 'going-home', text: 'good night' });
    expect(await client.connection.closed).toEqual({ clean: true });
  });

  it("carries none to a peer that doesn't", async () => {
    const known = await handMadePair({ welcome: understood });
    void known.connection.close({ code: 'x' });
    const old = await handMadePair();
    void old.connection.close({ code: 'x' });
    await turn();
    expect(known.peer.of('CLOSE').map(({ body }) => body.includes('x'))).toEqual([true]);
    expect(old.peer.of('CLOSE').map(({ body }) => body)).toEqual(['']);
  });

  it.each([
    ['a code of ours', understood, 'KNSOCK_MALFORMED_FRAME', false],
    ["a code of the program's", understood, 'bye', true],
    ["a code of the program's that we never announced", {}, 'bye', false],
    ['no code', {}, null, true],
  ])('by %s is clean: %s, %s → %s', async (_what, welcome, code, clean) => {
    const { peer, connection } = await handMadePair({ welcome });
    peer.say((out) => {
      if (code === null) encodeClose(out);
      else encodeClose(out, { code, text: 'words' });
    });
    const closed = connection.closed;
    await turn();
    peer.stream.end();
    const info = await closed;
    expect(info.clean).toBe(clean);
    if (!clean)
      expect(info.error?.message).toBe(`the peer ended the connection: words (${String(code)})${FROM}`);
  });

  it('waits for requests both ways, then ends', async () => {
    let finish!: (answer: string) => void;
    const { client, server } = await connectedPair({
      server: { requestHandler: () => new Promise((resolve) => (finish = resolve)) },
    });
    const asking = client.connection.request('a').then(text);
    await turn();
    const closing = client.connection.close();
    await turn();
    expect([client.connection.state, server.connection.state]).toEqual(['draining', 'draining']);
    expect(await failureOf(client.connection.request('b'))).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
    });
    finish('done');
    expect(await asking).toBe('done');
    await closing;
    expect(await server.connection.closed).toEqual({ clean: true });
  });

  it('fires `signal` and `request.draining` with the reason', async () => {
    let draining: AbortSignal | undefined;
    let finish!: (answer: string) => void;
    const { client, server } = await connectedPair({
      server: {
        requestHandler: (request) => {
          ({ draining } = request);
          return new Promise((resolve) => (finish = resolve));
        },
      },
    });
    void client.connection.request('a');
    await turn();
    const { signal } = client.connection;
    expect(signal.aborted).toBe(false);
    void client.connection.close();
    expect(signal.reason).toMatchObject({ message: `the connection is closing${FROM}` });
    await turn();
    expect(draining?.aborted).toBe(true);
    expect((draining?.reason as Error).message).toBe(`the peer is draining${FROM}`);
    finish('x');
    await client.connection.closed;
    // A late listener is called at once.
    expect(server.connection.signal.aborted).toBe(true);
  });

  it('by a deadline of 0 cuts off what is in flight', async () => {
    const { client, server } = await connectedPair({
      server: { requestHandler: () => new Promise(() => undefined) },
    });
    const asking = failureOf(client.connection.request('a'));
    await turn();
    await client.connection.close({ deadline: 0 });
    expect(await client.connection.closed).toMatchObject({
      clean: false,
      error: { code: 'KNSOCK_DRAIN_TIMEOUT' },
    });
    expect(await asking).toMatchObject({ code: 'KNSOCK_DRAIN_TIMEOUT' });
    expect((await server.connection.closed).clean).toBe(false);
  });

  it('refuses unknown options', async () => {
    const { client } = await connectedPair();
    const { connection } = client;
    await expect(connection.close({ deadlin: 1 } as never)).rejects.toThrow(/deadlin/);
    await expect(connection.close({ deadline: -1 })).rejects.toThrow(/deadline/);
    await expect(connection.close({ code: 'KNSOCK_X' })).rejects.toThrow(/reserved/);
    expect(connection.state).toBe('open');
    for (const call of [
      connection.send('a', { timeout: 1 } as never),
      connection.receive({ timeout: -1 }),
      connection.request('a', { deadline: 1 } as never),
      connection.ping({ signal: {} as never }),
    ])
      expect(await failureOf(call)).toMatchObject({ code: 'KNSOCK_INVALID_OPTION' });
    expect(() => {
      connection.onMessage(null as never);
    }).toThrow('the listener must be a function, not null');
    expect(() => {
      connection.onRequest('x' as never);
    }).toThrow("the handler must be a function, not 'x'");
    expect(() => {
      connection.onDraining(undefined as never);
    }).toThrow('the listener must be a function');
  });
});

describe('a peer that ends', () => {
  it('by CLOSE while answers are owed gets none, and their handlers are notified', async () => {
    let signal: AbortSignal | undefined;
    const { peer, connection } = await handMadePair({
      requestHandler: (request) => {
        ({ signal } = request);
        return new Promise((resolve) => signal?.addEventListener('abort', () => resolve('late')));
      },
    });
    peer.say((out) => encodeFrame(Kind.REQUEST, 1, token, out));
    await turn();
    peer.say((out) => encodeClose(out));
    await turn();
    expect(signal?.reason).toMatchObject({ message: `the peer closed the connection${FROM}` });
    await turn();
    expect(peer.of('CLOSE')).toHaveLength(1);
    peer.stream.end();
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('without a CLOSE leaves an unclean end that says so', async () => {
    const { peer, connection } = await handMadePair();
    const asking = failureOf(connection.request('a'));
    await turn();
    peer.stream.end();
    const { clean, error } = await connection.closed;
    expect(clean).toBe(false);
    expect(error?.message).toBe(`the connection ended without a CLOSE frame of the peer${FROM}`);
    expect((await asking).message).toMatch(
      /^the peer ended the connection before it answered|without a CLOSE/,
    );
    await expect(connection.receive()).rejects.toThrow('CLOSE');
  });

  it('in the middle of a frame leaves a truncated message', async () => {
    const { peer, connection } = await handMadePair();
    peer.stream.write(Buffer.from([0, 0, 0, 9, Kind.MESSAGE, 1]));
    peer.stream.end();
    expect(await connection.closed).toMatchObject({
      clean: false,
      error: { code: expect.stringMatching(/TRUNCATED/) as string },
    });
  });

  it('after its CLOSE may close the stream in any way', async () => {
    const { peer, connection } = await handMadePair();
    peer.say((out) => encodeClose(out));
    await turn();
    peer.stream.destroy();
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('and refuses us while we send is reported as a refusal', async () => {
    const client = await handMadePair({ role: 'client' });
    client.peer.say((out) => encodeRefused(out, 'revoked', 'since today'));
    expect((await client.connection.closed).error).toMatchObject({
      code: 'KNSOCK_CLIENT_CERTIFICATE_REFUSED',
      reason: 'revoked',
      message: `the server refused our certificate (revoked): since today${FROM}`,
    });
    const server = await handMadePair({ role: 'server' });
    server.peer.say((out) => encodeRefused(out, 'weird', 'so'));
    expect((await server.connection.closed).error).toMatchObject({
      code: 'KNSOCK_CONNECTION_CLOSED',
      message: `the client refused our certificate (weird): so${FROM}`,
    });
    // Nothing is sent after it.
    expect(server.peer.of('CLOSE')).toEqual([]);
  });

  it('is ignored after its CLOSE', async () => {
    const { peer, connection } = await handMadePair();
    const got: string[] = [];
    connection.onMessage((message) => void got.push(text(message)));
    peer.say((out) => {
      encodeFrame(Kind.MESSAGE, 0, Buffer.from('before'), out);
      encodeClose(out);
      encodeFrame(Kind.MESSAGE, 0, Buffer.from('behind'), out);
    });
    await turn();
    expect(got).toEqual(['before']);
  });
});

describe('a failure', () => {
  it('of a listener ends the connection without sending the peer the reason', async () => {
    const { client, server } = await connectedPair();
    server.connection.onMessage(() => {
      throw new Error('secret');
    });
    client.connection.write('a');
    expect(await server.connection.closed).toMatchObject({ clean: false, error: { message: 'secret' } });
    const { error } = await client.connection.closed;
    expect(error?.message).toBe(`the peer ended the connection (KNSOCK_INTERNAL)${FROM}`);
    expect(server.errors.map(({ message }) => message)).toEqual(['secret']);
  });

  it('of an asynchronous listener does too', async () => {
    const { client, server } = await connectedPair();
    server.connection.onMessage(() => Promise.reject(new Error('later')));
    client.connection.write('a');
    expect(await server.connection.closed).toMatchObject({ error: { message: 'later' } });
    expect(server.errors.map(({ message }) => message)).toEqual(['later']);
  });

  describe.each<[string, Framing]>([
    ['knsock', knsock()],
    ['lines', lines()],
    ['length-prefixed', lengthPrefixed()],
    ['json', json(lines())],
  ])('of a listener ends its calls: %s', (name, framing) => {
    const messages = encodeAll(
      framing,
      ['1', '2', '3'].map((digit) => Buffer.from(digit)),
    );
    const failing = async () => {
      const side = await handMadePair(name === 'knsock' ? {} : { framing });
      const got: string[] = [];
      const fail = (bytes: unknown): void => {
        got.push(text(bytes));
        throw new Error('mine');
      };
      const ended = async () => {
        side.peer.stream.end();
        return [
          (await side.connection.closed).error?.message,
          got,
          side.errors.map((error) => error.message),
        ];
      };
      return { ...side, fail, ended };
    };
    const once = ['mine', ['1'], ['mine']];

    it.each([{ lend: false }, { lend: true }])(
      'for later messages in the same chunk and the next (%o)',
      async (options) => {
        const { peer, connection, fail, ended } = await failing();
        connection.onMessage(fail, options);
        peer.stream.write(messages);
        peer.stream.write(messages);
        await turn();
        expect(await ended()).toEqual(once);
      },
    );

    it('for messages that came before it was set', async () => {
      const { peer, connection, fail, ended } = await failing();
      peer.stream.write(messages);
      await turn();
      connection.onMessage(fail);
      expect(connection.stats().heldBytes).toBe(0);
      peer.stream.write(messages);
      expect(await ended()).toEqual(once);
    });

    it('for messages that waited during a pause', async () => {
      const { peer, connection, fail, ended } = await failing();
      connection.onMessage(fail);
      connection.pause();
      peer.stream.write(messages);
      await turn();
      connection.resume();
      expect(await ended()).toEqual(once);
    });
  });

  it("of the server's handler ends its connection", async () => {
    for (const handler of [
      () => {
        throw new Error('broken');
      },
      () => Promise.reject(new Error('broken')),
    ]) {
      const { client, server } = await connectedPair({ handler });
      expect(await server.connection.closed).toMatchObject({ error: { message: 'broken' } });
      expect((await client.connection.closed).clean).toBe(false);
    }
  });

  it('of a listener of onDraining is reported and delays nothing', async () => {
    const { client, server } = await connectedPair();
    server.connection.onDraining(() => {
      throw new Error('loud');
    });
    await client.connection.close();
    expect(await server.connection.closed).toEqual({ clean: true });
    expect(server.errors.map(({ message }) => message)).toEqual(['loud']);
  });

  it('of ours is sent to the peer with its code and message', async () => {
    const { peer, connection } = await handMadePair();
    connection.fail(new RequestError('own', 'words'));
    await turn();
    expect(peer.of('CLOSE')).toHaveLength(1);
    expect(connection.isOwnEnd(new Error('other'))).toBe(false);
    const { error } = await connection.closed;
    expect(error).toMatchObject({ message: 'words' });
    // The first failure is the one that counts.
    connection.fail(new Error('second'));
    expect((await connection.closed).error).toBe(error);
  });

  it('discards what the peer still sends, and sends nothing more', async () => {
    const { peer, connection } = await handMadePair();
    connection.fail(new Error('over'));
    const heard = peer.frames.length;
    for (let n = 0; n < 5; n += 1) peer.say((out) => encodeFrame(Kind.MESSAGE, 0, token, out));
    peer.say((out) => encodePing(out, token));
    await turn();
    expect(peer.frames.slice(heard).map(({ kind }) => kind)).toEqual([Kind.CLOSE]);
    expect(connection.stats().heldBytes).toBe(0);
    peer.stream.end();
    await connection.closed;
  });

  it('by `destroy` sends the peer nothing', async () => {
    const { client, server } = await connectedPair();
    client.connection.destroy(new Error('secret'));
    expect(await client.connection.closed).toMatchObject({ clean: false, error: { message: 'secret' } });
    expect((await server.connection.closed).error?.message).not.toContain('secret');
  });
});

describe('what delays the end', () => {
  it("a handler that awaits `closed` doesn't", async () => {
    const { client, server } = await connectedPair({ handler: (connection) => connection.closed });
    await client.connection.close();
    expect(await server.connection.closed).toEqual({ clean: true });
  });

  it('a handler that owes an answer does', async () => {
    let work!: () => void;
    const { client, server } = await connectedPair({
      handler: async (connection) => {
        await connection.receive();
        await new Promise<void>((resolve) => (work = resolve));
        await connection.send('owed');
      },
    });
    const answer = client.connection.receive();
    client.connection.write('ask');
    await turn();
    void client.connection.close();
    await turn();
    expect(server.connection.state).toBe('draining');
    work();
    expect(text(await answer)).toBe('owed');
    expect(await client.connection.closed).toEqual({ clean: true });
  });

  it('a running asynchronous listener does, and then the end comes', async () => {
    let work!: () => void;
    const { client, server } = await connectedPair();
    server.connection.onMessage(async () => {
      await new Promise<void>((resolve) => (work = resolve));
      await server.connection.send('owed');
    });
    const answer = client.connection.receive();
    client.connection.write('ask');
    await turn();
    void client.connection.close();
    await turn();
    work();
    expect(text(await answer)).toBe('owed');
    expect(await server.connection.closed).toEqual({ clean: true });
  });

  it('messages that the program may still take do', async () => {
    const { client, server } = await connectedPair();
    server.connection.pause();
    const got: string[] = [];
    server.connection.onMessage((message) => void got.push(text(message)));
    client.connection.write('a');
    void client.connection.close();
    await turn();
    expect(got).toEqual([]);
    server.connection.resume();
    await turn();
    expect(got).toEqual(['a']);
    expect(await server.connection.closed).toEqual({ clean: true });
  });
});

describe('reading', () => {
  it('stops where untaken messages fill the bound, and continues when they are taken', async () => {
    const { peer, connection } = await handMadePair({ limits: { maxQueuedBytes: 65_536 } });
    const large = Buffer.alloc(300_000, 1);
    for (let n = 0; n < 10; n += 1) peer.say((out) => encodeFrame(Kind.MESSAGE, 0, large, out));
    await turn(20);
    const held = connection.stats().heldBytes;
    expect(held).toBeGreaterThan(1_000_000);
    expect(held).toBeLessThan(1_800_000);
    for (let n = 0; n < 10; n += 1) expect((await connection.receive())?.length).toBe(300_000);
    expect(connection.stats().heldBytes).toBe(0);
  });

  it('continues behind waiting messages: a PONG still arrives', async () => {
    const { client, server } = await connectedPair();
    server.connection.pause();
    client.connection.write(Buffer.alloc(200_000));
    expect(await client.connection.ping()).toBeGreaterThanOrEqual(0);
  });
});

describe('a cancel', () => {
  it('of an unknown request is ignored', async () => {
    const { peer, connection } = await handMadePair();
    peer.say((out) => encodeCancel(out, 77));
    await turn();
    expect(connection.state).toBe('open');
  });
});

describe('a connection', () => {
  it('has an id of its own, and closes with its scope', async () => {
    const { client, server } = await connectedPair();
    expect(client.connection.id).not.toBe(server.connection.id);
    await client.connection[Symbol.asyncDispose]();
    expect(client.connection.state).toBe('closed');
  });

  it('has no raw bytes on a framing with frames', async () => {
    const { client } = await connectedPair();
    expect(() => client.connection.stream()).toThrow(
      expect.objectContaining({ code: 'KNSOCK_FRAMING_MISMATCH' }) as Error,
    );
    expect(await failureOf(client.connection.relay(client.connection))).toMatchObject({
      code: 'KNSOCK_FRAMING_MISMATCH',
    });
  });
});
