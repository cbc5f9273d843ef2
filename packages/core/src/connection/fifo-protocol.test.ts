import { describe, expect, it, vi } from 'vitest';
import { json, lengthPrefixed, lines, raw } from '../framing/index.js';
import { connectedPair, handMadePair, turn } from '../testing/connected-pair.js';

const framing = lines();
const text = (bytes: unknown): string => String(bytes);
const CONSUMED = expect.objectContaining({ code: 'KNSOCK_CONSUMED' }) as Error;
const MISMATCH = { code: 'KNSOCK_FRAMING_MISMATCH' };

/** Resolves with what a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as never;
  }
  throw new Error('it succeeded');
}

describe('messages on a framing without ids', () => {
  it.each([lines(), lengthPrefixed()])('arrive in order over $name', async (one) => {
    const { client, server } = await connectedPair({ framing: one });
    const got: string[] = [];
    server.connection.onMessage((message) => void got.push(text(message)));
    for (const message of ['1', '2', '3']) client.connection.write(message);
    await turn();
    expect(got).toEqual(['1', '2', '3']);
    expect(client.connection.stats()).toMatchObject({
      messagesSent: 3,
      requestsGivenUp: 0,
      maxRequestsWaiting: 128,
    });
    expect(server.connection.stats()).toMatchObject({ messagesReceived: 3 });
  });

  it("that can't be encoded are refused, and no part of them is sent", async () => {
    const { client, server } = await connectedPair({ framing });
    expect(() => client.connection.write('two\nlines')).toThrow();
    await failureOf(client.connection.request('two\nlines'));
    expect(client.connection.stats().messagesSent).toBe(0);
    client.connection.write('one');
    expect(text(await server.connection.receive())).toBe('one');
  });

  it('that are empty can be requests where they have an end, and are refused at once on raw', async () => {
    for (const one of [lines(), lengthPrefixed(), raw()]) {
      const { client, server } = await connectedPair({ framing: one });
      server.connection.onRequest(({ payload }) => `${payload.length} bytes`);
      if (one.name === 'raw')
        expect(await failureOf(client.connection.request(''))).toMatchObject({
          code: 'KNSOCK_INVALID_OPTION',
        });
      else expect(text(await client.connection.request(''))).toBe('0 bytes');
      expect(text(await client.connection.request('abc'))).toBe('3 bytes');
    }
  });

  it("end with the end of the bytes: whether they are complete isn't known", async () => {
    const { client, server } = await connectedPair({ framing });
    client.connection.write('last');
    const closing = client.connection.close();
    expect(text(await server.connection.receive())).toBe('last');
    expect(await server.connection.receive()).toBeNull();
    await closing;
    expect(await server.connection.closed).toEqual({ clean: 'unknown' });
    expect(await client.connection.closed).toEqual({ clean: 'unknown' });
  });

  it('cut off in the middle are reported as such', async () => {
    const { peer, connection } = await handMadePair({ framing: lengthPrefixed() });
    peer.stream.write(Buffer.from([0, 0, 0, 9, 1]));
    peer.stream.end();
    expect(await connection.closed).toMatchObject({
      clean: false,
      error: { code: expect.stringMatching(/TRUNCATED/) as string },
    });
  });

  it('over the limit end the connection, and nothing after them is accepted', async () => {
    const { peer, connection } = await handMadePair({ framing, limits: { maxMessageBytes: 4 } });
    const got: string[] = [];
    connection.onMessage((message) => void got.push(text(message)));
    peer.stream.write(Buffer.from('ok\ntoo long\nlost\n'));
    expect(await connection.closed).toMatchObject({ error: { code: 'KNSOCK_MESSAGE_TOO_LARGE' } });
    expect(got).toEqual(['ok']);
    expect(peer.text).toBe('');
  });

  it('have no ping', async () => {
    const { client } = await connectedPair({ framing });
    expect(await failureOf(client.connection.ping())).toMatchObject(MISMATCH);
  });
});

describe('our requests on a framing without ids', () => {
  it('are answered in their order', async () => {
    const { peer, connection } = await handMadePair({ framing });
    const all = ['a', 'b'].map((what) => connection.request(what).then(text));
    await turn();
    expect(peer.text).toBe('a\nb\n');
    expect(connection.stats().requestsWaiting).toBe(2);
    peer.stream.write(Buffer.from('1\n2\n3\n'));
    expect(await Promise.all(all)).toEqual(['1', '2']);
    // What answers no request is a message.
    expect(text(await connection.receive())).toBe('3');
  });

  it('that are aborted end the connection: a late answer would go to the next', async () => {
    const { peer, connection } = await handMadePair({ framing });
    const controller = new AbortController();
    const asking = connection.request('a', { signal: controller.signal });
    const next = failureOf(connection.request('b'));
    await turn();
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await failureOf(asking)).toBe(reason);
    const { error } = await connection.closed;
    expect(error?.message).toBe(
      "a request was given up, and lines can't distinguish its late answer from the next (connection with 192.0.2.1:4000)",
    );
    expect(await next).toBe(error);
    await turn();
    // An end alone could be that of a peer which still waits for its answer.
    expect([peer.ended, peer.stream.wasReset]).toEqual([false, true]);
  });

  it('without an answer fail when the peer ends', async () => {
    const { peer, connection } = await handMadePair({ framing });
    const asking = failureOf(connection.request('a'));
    await turn();
    peer.stream.end();
    expect((await asking).message).toBe(
      'the peer ended the connection before it answered (connection with 192.0.2.1:4000)',
    );
  });

  it('go in one direction at a time', async () => {
    const { client, server } = await connectedPair({ framing });
    server.connection.onRequest(() => 'x');
    expect(await failureOf(server.connection.request('a'))).toMatchObject(MISMATCH);
    const asking = client.connection.request('a');
    expect(() => {
      client.connection.onRequest(() => 'y');
    }).toThrow(expect.objectContaining(MISMATCH) as Error);
    expect(text(await asking)).toBe('x');
    client.connection.onRequest(() => 'y');
  });

  it('are refused once we drain', async () => {
    const { client, server } = await connectedPair({ framing });
    let finish!: (answer: string) => void;
    server.connection.onRequest(() => new Promise((resolve) => (finish = resolve)));
    const asking = client.connection.request('a').then(text);
    await turn();
    void client.connection.close();
    expect(await failureOf(client.connection.request('b'))).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
    });
    finish('done');
    expect(await asking).toBe('done');
    expect(await client.connection.closed).toEqual({ clean: 'unknown' });
  });
});

describe("the peer's requests on a framing without ids", () => {
  it('are answered in their order, however long each takes', async () => {
    const finish = new Map<string, (answer: string) => void>();
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: ({ payload }) => new Promise((resolve) => finish.set(text(payload), resolve)),
    });
    peer.stream.write(Buffer.from('a\nb\nc\n'));
    await turn();
    expect(connection.stats().requestsHandled).toBe(3);
    finish.get('c')?.('3');
    finish.get('b')?.('2');
    await turn();
    expect(peer.text).toBe('');
    finish.get('a')?.('1');
    await turn();
    expect(peer.text).toBe('1\n2\n3\n');
    expect(connection.stats()).toMatchObject({ requestsHandled: 0, messagesSent: 3, messagesReceived: 3 });
  });

  it('are answered at once by the thousand', async () => {
    const { client } = await connectedPair({
      framing,
      client: { limits: { maxRequestsInFlight: 5_000 } },
      server: { requestHandler: ({ payload }) => payload },
    });
    const asked = Array.from({ length: 3_000 }, (_, n) => `${n}`);
    const answers = await Promise.all(asked.map((what) => client.connection.request(what).then(text)));
    expect(answers).toEqual(asked);
  });

  it('are handled up to the limit: the rest waits, and answers that wait for their turn count', async () => {
    const begun: string[] = [];
    const finish = new Map<string, (answer: string) => void>();
    const { peer } = await handMadePair({
      framing,
      limits: { maxRequestsInFlight: 2 },
      requestHandler: ({ payload }) => {
        begun.push(text(payload));
        return new Promise((resolve) => finish.set(text(payload), resolve));
      },
    });
    peer.stream.write(Buffer.from('a\nb\nc\nd\n'));
    await turn();
    expect(begun).toEqual(['a', 'b']);
    finish.get('b')?.('2');
    await turn();
    expect(begun).toEqual(['a', 'b']);
    finish.get('a')?.('1');
    await turn();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    finish.get('c')?.('3');
    finish.get('d')?.('4');
    peer.stream.write(Buffer.from('e\n'));
    await turn();
    finish.get('e')?.('5');
    await turn();
    expect(peer.text).toBe('1\n2\n3\n4\n5\n');
  });

  it('held back stop our reading until they are started', async () => {
    const finish: ((answer: string) => void)[] = [];
    const { peer, connection, stream } = await handMadePair({
      framing,
      limits: { maxRequestsInFlight: 1 },
      requestHandler: () => new Promise((resolve) => finish.push(resolve)),
    });
    peer.stream.write(Buffer.from('a\nb\n'));
    await turn();
    peer.stream.write(Buffer.from('c\n'));
    await turn();
    expect(stream.bytesRead).toBe(4);
    finish[0]?.('1');
    await turn();
    finish[1]?.('2');
    await turn();
    finish[2]?.('3');
    await turn();
    expect(peer.text).toBe('1\n2\n3\n');
    expect(connection.stats().requestsHandled).toBe(0);
  });

  it('include those that arrived before the handler', async () => {
    const { client, server } = await connectedPair({ framing });
    const asking = client.connection.request('early').then(text);
    await turn();
    server.connection.onRequest(({ payload }) => `late: ${text(payload)}`);
    expect(await asking).toBe('late: early');
    expect(server.connection.stats().heldBytes).toBe(0);
  });

  it('have one handler, and no other consumer', async () => {
    const { client, server } = await connectedPair({ framing });
    server.connection.onRequest(() => 'x');
    expect(() => {
      server.connection.onRequest(() => 'y');
    }).toThrow(CONSUMED);
    await expect(server.connection.receive()).rejects.toThrow('onRequest()');
    client.connection.onMessage(() => undefined);
    expect(() => {
      client.connection.onRequest(() => 'y');
    }).toThrow(CONSUMED);
  });

  it('exclude messages of ours, which would be taken for answers', async () => {
    const { server } = await connectedPair({ framing });
    server.connection.onRequest(() => 'x');
    expect(() => server.connection.write('a')).toThrow(expect.objectContaining(MISMATCH) as Error);
    expect(() => server.connection.post('a')).toThrow(/lines can't carry a message/);
    expect(await failureOf(server.connection.send('a'))).toMatchObject(MISMATCH);
  });

  it('whose handler fails cut the connection: no frame can report it', async () => {
    for (const handler of [
      () => {
        throw new Error('broken');
      },
      () => Promise.reject(new Error('broken')),
      () => 'two\nlines',
    ]) {
      const { peer, connection, errors } = await handMadePair({ framing, requestHandler: handler });
      peer.stream.write(Buffer.from('a\n'));
      expect((await connection.closed).clean).toBe(false);
      expect(errors).toHaveLength(1);
      await turn();
      expect([peer.text, peer.stream.wasCut]).toEqual(['', true]);
      expect(connection.stats().requestsHandled).toBe(0);
    }
  });

  it("are answered before our end, also after the peer's end", async () => {
    let finish!: (answer: string) => void;
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: () => new Promise((resolve) => (finish = resolve)),
    });
    peer.endsInTurn = false;
    peer.stream.write(Buffer.from('a\n'));
    peer.stream.end();
    await turn();
    expect(connection.state).toBe('draining');
    finish('1');
    expect(await connection.closed).toEqual({ clean: 'unknown' });
    expect(peer.text).toBe('1\n');
  });

  it('that arrive after our end are not started', async () => {
    const begun: string[] = [];
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: ({ payload }) => {
        begun.push(text(payload));
        return 'x';
      },
    });
    peer.endsInTurn = false;
    void connection.close();
    await turn();
    peer.stream.write(Buffer.from('late\n'));
    await turn();
    expect(begun).toEqual([]);
    peer.stream.end();
    await connection.closed;
  });

  it('are notified that the connection drains, before and after they started', async () => {
    const signals: AbortSignal[] = [];
    const finish: ((answer: string) => void)[] = [];
    const { peer, connection } = await handMadePair({
      framing,
      limits: { maxRequestsInFlight: 1 },
      requestHandler: ({ draining }) => {
        signals.push(draining);
        return new Promise((resolve) => finish.push(resolve));
      },
    });
    peer.stream.write(Buffer.from('a\nb\n'));
    await turn();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    void connection.close();
    expect(signals[0]?.aborted).toBe(true);
    finish[0]?.('1');
    await turn();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    finish[1]?.('2');
    await connection.closed;
    expect(peer.text).toBe('1\n2\n');
  });

  it('are notified when the connection is gone, and their answers are then dropped', async () => {
    let signal: AbortSignal | undefined;
    let finish!: (answer: string) => void;
    const { peer, connection, errors } = await handMadePair({
      framing,
      requestHandler: (request) => {
        ({ signal } = request);
        return new Promise((resolve) => (finish = resolve));
      },
    });
    peer.stream.write(Buffer.from('a\n'));
    await turn();
    connection.destroy(new Error('cut'));
    await connection.closed;
    expect(signal?.reason).toMatchObject({ message: 'cut' });
    finish('1');
    await turn();
    expect([peer.text, errors]).toEqual(['', []]);
  });

  it('are urged by their signals before the close timeout expires', async () => {
    let signal: AbortSignal | undefined;
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: (request) => {
        ({ signal } = request);
        return new Promise(() => undefined);
      },
    });
    peer.stream.write(Buffer.from('a\n'));
    await turn();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      void connection.close({ deadline: 900 });
      vi.advanceTimersByTime(599);
      expect(signal?.aborted).toBe(false);
      vi.advanceTimersByTime(1);
      expect(signal?.reason).toMatchObject({ message: expect.stringContaining('is closing') as string });
    } finally {
      vi.useRealTimers();
    }
    connection.destroy();
    await connection.closed;
  });

  it('have what a listener of their signal throws reported', async () => {
    const { peer, connection, errors } = await handMadePair({
      framing,
      requestHandler: ({ signal }) => {
        signal.addEventListener('abort', () => {
          throw new Error('listener');
        });
        return new Promise(() => undefined);
      },
    });
    peer.stream.write(Buffer.from('a\n'));
    await turn();
    connection.destroy();
    await connection.closed;
    expect(errors.map(({ message }) => message)).toEqual(['listener']);
  });

  it('are no longer started once the connection has failed', async () => {
    const begun: string[] = [];
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: ({ payload }) => {
        begun.push(text(payload));
        throw new Error('failed');
      },
    });
    peer.stream.write(Buffer.from('a\nb\n'));
    peer.stream.write(Buffer.from('c\n'));
    await turn();
    peer.stream.end();
    expect((await connection.closed).error?.message).toBe('failed');
    expect(begun).toEqual(['a']);
  });

  it('are no longer started once the connection has failed, if they came before the handler', async () => {
    const begun: string[] = [];
    const { peer, connection, errors } = await handMadePair({ framing });
    peer.stream.write(Buffer.from('a\nb\nc\n'));
    await turn();
    connection.onRequest(({ payload }) => {
      begun.push(text(payload));
      throw new Error('failed');
    });
    peer.stream.end();
    expect((await connection.closed).error?.message).toBe('failed');
    expect([begun, errors.map(({ message }) => message)]).toEqual([['a'], ['failed']]);
  });

  it('may reach the limit repeatedly', async () => {
    const finish: ((answer: string) => void)[] = [];
    const { peer, connection } = await handMadePair({
      framing,
      limits: { maxRequestsInFlight: 2 },
      requestHandler: () => new Promise((resolve) => finish.push(resolve)),
    });
    for (let round = 1; round <= 3; round += 1) {
      peer.stream.write(Buffer.from('a\nb\nc\n'));
      await turn();
      expect(finish).toHaveLength(2);
      for (const end of finish.splice(0)) end('x');
      await turn();
      expect(finish).toHaveLength(1);
      finish.splice(0)[0]?.('x');
      await turn();
      expect(connection.stats().requestsHandled).toBe(0);
    }
    expect(peer.text).toBe('x\n'.repeat(9));
    connection.destroy();
  });

  it('are answered behind what waits for a peer that reads slowly, each in its turn', async () => {
    const finish: ((answer: string) => void)[] = [];
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: () => new Promise((resolve) => finish.push(resolve)),
    });
    peer.stream.write(Buffer.from('a\nb\nc\n'));
    await turn();
    peer.stream.pause();
    // The first answer fills the system's buffer; those behind it wait here.
    finish[0]?.('1'.repeat(2_000_000));
    await turn();
    finish[2]?.('3');
    await turn();
    finish[1]?.('2');
    await turn();
    expect(peer.text).not.toContain('2');
    peer.stream.resume();
    await turn(60);
    expect(peer.text.slice(-5)).toBe('\n2\n3\n'.slice(-5));
    expect(connection.stats().requestsHandled).toBe(0);
    connection.destroy();
  });

  it("whose handler only waits for the end don't hold the connection open", async () => {
    const { peer, connection } = await handMadePair({
      framing,
      requestHandler: async (request) => {
        await request.connection.closed;
        return 'never';
      },
    });
    peer.stream.write(Buffer.from('a\n'));
    await turn();
    expect(connection.stats().requestsHandled).toBe(1);
    peer.stream.end();
    expect((await connection.closed).clean).toBe('unknown');
    expect(peer.text).toBe('');
  });
});

describe('a framing that parses', () => {
  it("gives values both ways, and ends the connection where one can't be read", async () => {
    const values = json(lines()) as never;
    const { client, server } = await connectedPair({
      framing: values,
      server: { requestHandler: ({ payload }) => ({ twice: [payload, payload] }) as never },
    });
    expect(await client.connection.request({ a: 1 } as never)).toEqual({ twice: [{ a: 1 }, { a: 1 }] });
    await client.connection.close();
    await server.connection.closed;
    const broken = await handMadePair({ framing: values });
    broken.peer.stream.write(Buffer.from('{no\n'));
    expect(await broken.connection.closed).toMatchObject({ error: { code: 'KNSOCK_INVALID_JSON' } });
  });
});
