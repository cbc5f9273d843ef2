import { describe, expect, it } from 'vitest';
import { json, knsock } from '../framing/index.js';
import { encodeClose, encodeFrame, encodePing, Kind } from '../framing/knsock/index.js';
import { connectedPair, handMadePair, turn } from '../testing/connected-pair.js';

/** Resolves with what a promise rejects with. */
async function failureOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as never;
  }
  throw new Error('it succeeded');
}

const never = (): Promise<string> => new Promise(() => undefined);
const request =
  (id: number, body = 'a') =>
  (out: never) => {
    encodeFrame(Kind.REQUEST, id, Buffer.from(body), out);
  };

describe('a side that drains', () => {
  it('announces its last request, and rejects those after it', async () => {
    const { peer, connection } = await handMadePair({ requestHandler: never });
    peer.say(request(3) as never);
    await turn();
    void connection.close();
    void connection.close();
    await turn();
    expect(peer.of('GOAWAY').map(({ id }) => id)).toEqual([3]);
    peer.say(request(4) as never);
    await turn();
    expect(peer.of('REJECTED')).toMatchObject([
      { id: 4, body: expect.stringContaining('draining') as string },
    ]);
    expect(connection.stats().requestsHandled).toBe(1);
    connection.destroy();
  });

  it('refuses its own requests, and says why', async () => {
    const { connection } = await handMadePair({ requestHandler: never });
    const open = connection.request('a');
    open.catch(() => undefined);
    await turn();
    void connection.close();
    expect(await failureOf(connection.request('b'))).toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      message: 'the request was not sent: the connection is closing (connection with 192.0.2.1:4000)',
    });
    connection.destroy();
  });

  it('still sends messages, until most of its timeout has passed', async () => {
    const { peer, connection } = await handMadePair({ requestHandler: never });
    peer.say(request(1) as never);
    await turn();
    void connection.close();
    expect(connection.write('meanwhile')).toBe(true);
    await turn();
    expect(peer.of('MESSAGE').map(({ body }) => body)).toEqual(['meanwhile']);
    connection.destroy();
  });
});

describe('behind its own CLOSE a side', () => {
  it('sends nothing more: no PONG, no answer, no second CLOSE', async () => {
    const { peer, connection } = await handMadePair({ requestHandler: () => 'x' });
    peer.endsInTurn = false;
    void connection.close();
    await turn();
    const heard = peer.frames.length;
    expect(peer.frames.at(-1)?.kind).toBe(Kind.CLOSE);
    peer.say((out) => encodePing(out, Buffer.from('12345678')));
    peer.say(request(1) as never);
    await turn();
    expect(peer.frames).toHaveLength(heard);
    expect(connection.stats().messagesReceived).toBe(0);
    expect(connection.write('late')).toBe(false);
    expect((await failureOf(connection.send('late'))).message).toBe(
      'the connection is closed (connection with 192.0.2.1:4000)',
    );
    peer.say((out) => encodeClose(out));
    peer.stream.end();
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('drops the answer of a late handler', async () => {
    let finish!: (answer: string) => void;
    const { peer, connection } = await handMadePair({
      requestHandler: () => new Promise((resolve) => (finish = resolve)),
    });
    peer.say(request(1) as never);
    await turn();
    connection.fail(new Error('over'));
    finish('late');
    await turn();
    expect(peer.of('RESPONSE')).toEqual([]);
    expect(peer.of('CLOSE')).toHaveLength(1);
  });
});

describe('a peer that has ended', () => {
  it('gets no message of a program that has no work left', async () => {
    const { peer, connection } = await handMadePair({ requestHandler: never });
    peer.endsInTurn = false;
    // A running listener holds our side open.
    connection.onMessage(() => new Promise(() => undefined));
    peer.say((out) => {
      encodeFrame(Kind.MESSAGE, 0, Buffer.from('m'), out);
      encodeClose(out);
    });
    await turn();
    expect(connection.state).toBe('draining');
    expect(connection.write('owed')).toBe(true);
    expect(await failureOf(connection.request('q'))).toMatchObject({
      message: 'the request was not sent: the peer has ended the connection (connection with 192.0.2.1:4000)',
    });
    await turn();
    expect(peer.of('MESSAGE').map(({ body }) => body)).toEqual(['owed']);
    expect(connection.signal.reason).toMatchObject({
      message: 'the peer closed the connection (connection with 192.0.2.1:4000)',
    });
    connection.destroy();
  });
});

describe('a reset', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

  it("of an open connection is its error, with the peer's address", async () => {
    const { stream, connection } = await handMadePair();
    stream.destroy(reset);
    const { clean, error } = await connection.closed;
    expect(clean).toBe(false);
    expect(error).toMatchObject({ cause: reset });
    expect(error?.message).toContain('192.0.2.1');
    expect(await failureOf(connection.send('a'))).toBe(error);
  });

  it('loses nothing once both sides have sent CLOSE', async () => {
    const { peer, stream, connection } = await handMadePair();
    peer.endsInTurn = false;
    void connection.close();
    peer.say((out) => encodeClose(out));
    await turn();
    stream.destroy(reset);
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('is an unclean end where only we have sent it', async () => {
    const { peer, stream, connection } = await handMadePair();
    peer.endsInTurn = false;
    void connection.close();
    await turn();
    stream.destroy(reset);
    expect(await connection.closed).toMatchObject({ clean: false, error: { cause: reset } });
  });

  it('is an unclean end where only the peer has sent it, and we had more to send', async () => {
    const { peer, stream, connection } = await handMadePair();
    peer.endsInTurn = false;
    connection.onMessage(() => new Promise(() => undefined));
    peer.say((out) => {
      for (const body of ['1', '2']) encodeFrame(Kind.MESSAGE, 0, Buffer.from(body), out);
      encodeClose(out);
    });
    await turn();
    stream.destroy(reset);
    expect(await connection.closed).toMatchObject({ clean: false, error: { cause: reset } });
  });
});

describe('JSON over knsock', () => {
  const framing = json(knsock()) as never;

  it('goes both ways', async () => {
    const { client, server } = await connectedPair({
      client: { framing },
      server: { framing, requestHandler: ({ payload }) => [payload] as never },
    });
    expect(await client.connection.request({ a: 1 } as never)).toEqual([{ a: 1 }]);
    client.connection.write({ b: 2 } as never);
    expect(await server.connection.receive()).toEqual({ b: 2 });
  });

  it("that can't be read fails the one request, on either side, and nothing else", async () => {
    let asked = 0;
    const plain = await connectedPair({
      server: {
        framing,
        requestHandler: () => {
          asked += 1;
          return 'fine';
        },
      },
    });
    expect(await failureOf(plain.client.connection.request('{no'))).toMatchObject({
      remoteCode: 'invalid-json',
    });
    expect(asked).toBe(0);
    expect(String(await plain.client.connection.request('{}'))).toBe('"fine"');
    const answering = await connectedPair({
      client: { framing },
      server: { requestHandler: ({ payload }) => (String(payload) === '1' ? '{no' : '"fine"') },
    });
    expect(await failureOf(answering.client.connection.request(1 as never))).toMatchObject({
      code: 'KNSOCK_INVALID_JSON',
    });
    expect(await answering.client.connection.request(2 as never)).toBe('fine');
    expect(answering.client.connection.stats()).toMatchObject({ requestsWaiting: 0, messagesReceived: 2 });
  });

  it("that can't be read in a message ends the connection", async () => {
    const { client, server } = await connectedPair({ server: { framing } });
    client.connection.write('{no');
    expect(await server.connection.closed).toMatchObject({ error: { code: 'KNSOCK_INVALID_JSON' } });
    expect((await client.connection.closed).clean).toBe(false);
  });
});

describe('answers to a peer that reads slowly', () => {
  it('keep their order behind what waits, and no new request is started meanwhile', async () => {
    let asked = 0;
    const { peer } = await handMadePair({
      limits: { maxQueuedBytes: 1_024 },
      requestHandler: ({ payload }) => {
        asked += 1;
        return Buffer.concat([payload, Buffer.alloc(50_000)]);
      },
    });
    peer.stream.pause();
    for (let id = 1; id <= 6; id += 1) {
      peer.say(request(id, `${id}`) as never);
      await turn();
    }
    expect(asked).toBeLessThan(6);
    peer.stream.resume();
    await turn(40);
    expect(asked).toBe(6);
    expect(peer.of('RESPONSE').map(({ id, body }) => [id, body[0]])).toEqual(
      [1, 2, 3, 4, 5, 6].map((id) => [id, `${id}`]),
    );
  });
});
