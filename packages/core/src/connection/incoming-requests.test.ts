import { describe, expect, it } from 'vitest';
import { RequestError } from '../errors/index.js';
import { encodeCancel, encodeClose, encodeFrame, Kind } from '../framing/knsock/index.js';
import { handMadePair, turn, type HandMadePeer, type HeardFrame } from '../testing/connected-pair.js';

function ask(peer: HandMadePeer, id: number, body = 'a'): void {
  peer.say((out) => encodeFrame(Kind.REQUEST, id, Buffer.from(body), out));
}

/** The id, the code and the text of ERROR and REJECTED. */
function words({ id, body }: HeardFrame): [number, string, string] {
  const end = 1 + body.charCodeAt(0);
  return [id, body.slice(1, end), Buffer.from(body.slice(end), 'latin1').toString()];
}

/** Handlers that end when the test ends them, in the order of their requests. */
function working() {
  const begun: { id: string; signal: AbortSignal; end: (answer: string) => void }[] = [];
  const requestHandler = ({ payload, signal }: { payload: Buffer; signal: AbortSignal }) =>
    new Promise<string>((end) => begun.push({ id: String(payload), signal, end }));
  return { begun, requestHandler };
}

describe('requests of the peer', () => {
  it.each([1, 2])("whose id doesn't grow end the connection (%i after 2)", async (id) => {
    const { peer, connection } = await handMadePair({ requestHandler: () => 'x' });
    ask(peer, 2);
    ask(peer, id);
    await turn();
    expect((await connection.closed).error).toMatchObject({
      code: 'KNSOCK_MALFORMED_FRAME',
      message: `request id ${id} came after 2; ids only grow (connection with 192.0.2.1:4000)`,
    });
    expect(peer.of('RESPONSE').map((frame) => frame.id)).toEqual([2]);
  });

  it('over the limit of requests in flight are rejected, and accepted again when one is answered', async () => {
    const { begun, requestHandler } = working();
    const { peer, connection } = await handMadePair({ requestHandler, limits: { maxRequestsInFlight: 2 } });
    for (const id of [1, 2, 3]) ask(peer, id, `${id}`);
    await turn();
    expect(begun.map(({ id }) => id)).toEqual(['1', '2']);
    expect(peer.of('REJECTED').map(words)).toEqual([[3, 'busy', '2 requests are in flight already']]);
    begun[0]?.end('done');
    await turn();
    ask(peer, 4, '4');
    await turn();
    expect(begun.map(({ id }) => id)).toEqual(['1', '2', '4']);
    expect(peer.of('REJECTED')).toHaveLength(1);
    connection.destroy();
  });

  it('wait until the program had its turn, and count as in flight meanwhile', async () => {
    const { peer, connection } = await handMadePair({ limits: { maxRequestsInFlight: 2 } });
    for (const id of [1, 2, 3]) ask(peer, id, `${id}`);
    await turn();
    expect(peer.of('ERROR')).toEqual([]);
    expect(peer.of('REJECTED').map(words)).toEqual([[3, 'busy', '2 requests are in flight already']]);
    expect(connection.stats().requestsHandled).toBe(2);
    connection.onRequest(({ payload }) => payload);
    await turn();
    expect(peer.of('RESPONSE').map(({ id, body }) => [id, body])).toEqual([
      [1, '1'],
      [2, '2'],
    ]);
    expect(connection.stats().requestsHandled).toBe(0);
    ask(peer, 4, '4');
    await turn();
    expect(peer.of('RESPONSE').at(-1)).toMatchObject({ id: 4, body: '4' });
  });

  it('are refused, each with a reason, once the program had its turn and set no handler', async () => {
    const { peer, connection } = await handMadePair();
    for (const id of [1, 2]) ask(peer, id);
    connection.handleBy(() => undefined);
    await turn();
    ask(peer, 3);
    await turn();
    expect(peer.of('ERROR').map(words)).toEqual(
      [1, 2, 3].map((id) => [id, 'no-handler', 'no request handler is set']),
    );
    connection.onRequest(() => 'now');
    ask(peer, 4);
    await turn();
    expect(peer.of('RESPONSE')).toMatchObject([{ id: 4, body: 'now' }]);
  });

  it('have one handler', async () => {
    const { connection } = await handMadePair({ requestHandler: () => 'x' });
    expect(() => connection.onRequest(() => 'y')).toThrow(
      expect.objectContaining({ code: 'KNSOCK_CONSUMED' }) as Error,
    );
  });

  it('that were cancelled before they started are rejected, and never start', async () => {
    const { peer, connection } = await handMadePair();
    for (const id of [1, 2]) ask(peer, id, `${id}`);
    peer.say((out) => encodeCancel(out, 1));
    await turn();
    expect(peer.of('REJECTED').map(words)).toEqual([[1, 'busy', 'it was cancelled before it began']]);
    const got: string[] = [];
    connection.onRequest(({ payload }) => {
      got.push(String(payload));
      return 'x';
    });
    await turn();
    expect(got).toEqual(['2']);
  });

  it('that are cancelled while handled are notified by their own signals, and are answered', async () => {
    const { begun, requestHandler } = working();
    const { peer, connection } = await handMadePair({ requestHandler });
    for (const id of [1, 2]) ask(peer, id, `${id}`);
    peer.say((out) => encodeCancel(out, 1));
    await turn();
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    begun[0]?.end('all the same');
    await turn();
    expect(peer.of('RESPONSE')).toMatchObject([{ id: 1, body: 'all the same' }]);
    connection.destroy();
  });

  it("that are cancelled don't delay the end of a peer that waits for nothing else", async () => {
    const { begun, requestHandler } = working();
    const { peer, connection } = await handMadePair({ requestHandler });
    for (const id of [1, 2]) ask(peer, id, `${id}`);
    peer.say((out) => encodeCancel(out, 1));
    peer.say((out) => encodeClose(out));
    await turn();
    expect(peer.of('CLOSE')).toEqual([]);
    begun[1]?.end('for the peer');
    await turn();
    expect(peer.of('RESPONSE')).toMatchObject([{ id: 2, body: 'for the peer' }]);
    expect(peer.of('CLOSE')).toHaveLength(1);
    begun[0]?.end('for nobody');
    await turn();
    expect(peer.of('RESPONSE')).toHaveLength(1);
    expect(await connection.closed).toEqual({ clean: true });
  });
});

describe('a request that fails', () => {
  it('sends the message of a RequestError, and reports nothing', async () => {
    const { peer, errors } = await handMadePair({
      requestHandler: () => {
        throw new RequestError('not-found', 'no such page');
      },
    });
    ask(peer, 1);
    await turn();
    expect(peer.of('ERROR').map(words)).toEqual([[1, 'not-found', 'no such page']]);
    expect(errors).toEqual([]);
  });

  it('by any other error sends none of its message, and is reported here', async () => {
    const { peer, errors } = await handMadePair({
      requestHandler: () => Promise.reject(new Error('secret')),
    });
    ask(peer, 1);
    await turn();
    expect(peer.of('ERROR').map(words)).toEqual([[1, 'internal', '']]);
    expect(errors.map(({ message }) => message)).toEqual(['secret']);
  });

  it("by an answer over the peer's limit is reported on both sides", async () => {
    const { peer, errors } = await handMadePair({
      requestHandler: ({ payload }) => Buffer.alloc(Number(String(payload))),
      welcome: { maxMessage: 10 },
    });
    ask(peer, 1, '10');
    ask(peer, 2, '11');
    await turn();
    expect(peer.of('RESPONSE').map(({ id }) => id)).toEqual([1]);
    const [[id, code, text]] = peer.of('ERROR').map(words) as [[number, string, string]];
    expect([id, code]).toEqual([2, 'answer-too-large']);
    expect(text).toMatch(/11 bytes.*10/);
    expect(text).not.toContain('192.0.2.1');
    expect(errors).toMatchObject([{ code: 'KNSOCK_MESSAGE_TOO_LARGE' }]);
    expect(errors[0]?.message).toContain('(connection with 192.0.2.1:4000)');
  });

  it('in a listener of its signal is still answered, and the failure is reported', async () => {
    const { begun, requestHandler } = working();
    const { peer, errors, connection } = await handMadePair({ requestHandler });
    ask(peer, 1);
    await turn();
    begun[0]?.signal.addEventListener('abort', () => {
      throw new Error('listener');
    });
    peer.say((out) => encodeCancel(out, 1));
    await turn();
    expect(errors.map(({ message }) => message)).toEqual(['listener']);
    begun[0]?.end('fine');
    await turn();
    expect(peer.of('RESPONSE')).toHaveLength(1);
    connection.destroy();
  });
});

describe('requests at the end of the connection', () => {
  it('that still wait never start, and those being handled receive the reason', async () => {
    const { begun, requestHandler } = working();
    const { peer, connection } = await handMadePair();
    ask(peer, 1, '1');
    await turn();
    const reason = new Error('over');
    connection.destroy(reason);
    await connection.closed;
    connection.onRequest(requestHandler);
    await turn();
    expect(begun).toEqual([]);
    const other = await handMadePair({ requestHandler });
    ask(other.peer, 1, '1');
    await turn();
    other.connection.destroy(reason);
    await other.connection.closed;
    expect(begun.map(({ signal }) => signal.reason as unknown)).toEqual([reason]);
    // An answer after the end is dropped and harms nothing.
    begun[0]?.end('too late');
    await turn();
    expect(other.errors).toEqual([]);
  });

  it('delay it until they are answered, including those that wait for the program', async () => {
    const { peer, connection } = await handMadePair();
    ask(peer, 1, '1');
    peer.say((out) => encodeClose(out));
    await turn();
    expect(peer.of('CLOSE')).toEqual([]);
    connection.handleBy((given) => given.onRequest(({ payload }) => payload));
    await turn();
    expect(peer.frames.map(({ kind }) => kind).slice(-2)).toEqual([Kind.RESPONSE, Kind.CLOSE]);
    expect(await connection.closed).toEqual({ clean: true });
  });

  it('delay it only until they are refused, where the program set no handler', async () => {
    const { peer, connection } = await handMadePair();
    ask(peer, 1);
    peer.say((out) => encodeClose(out));
    connection.handleBy(() => undefined);
    await turn();
    expect(peer.frames.map(({ kind }) => kind).slice(-2)).toEqual([Kind.ERROR, Kind.CLOSE]);
    expect(await connection.closed).toEqual({ clean: true });
  });
});

describe("answers to a peer that doesn't read", () => {
  it('wait behind what was sent before them, and are dropped once the connection is over', async () => {
    const { begun, requestHandler } = working();
    const { peer, connection, errors } = await handMadePair({ requestHandler });
    for (const id of [1, 2]) ask(peer, id, `${id}`);
    await turn();
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    connection.write('last');
    begun[0]?.end('first answer');
    await turn();
    expect(peer.of('RESPONSE')).toEqual([]);
    peer.stream.resume();
    await turn(40);
    expect(peer.frames.slice(-2).map(({ body }) => body)).toEqual(['last', 'first answer']);
    peer.stream.pause();
    while (connection.write(Buffer.alloc(50_000)));
    begun[1]?.end('second answer');
    await turn();
    connection.destroy();
    await connection.closed;
    expect(errors).toEqual([]);
  });
});
