import { describe, expect, it } from 'vitest';
import { lines } from '../framing/index.js';
import { handMadePair, turn, type Side } from '../testing/connected-pair.js';

type Call = (connection: Side['connection'], signal?: AbortSignal) => Promise<unknown>;

const calls: [string, Call, { framing?: ReturnType<typeof lines> }][] = [
  ['a receive', (connection, signal) => connection.receive(signal && { signal }), {}],
  ['a ping', (connection, signal) => connection.ping(signal && { signal }), {}],
  ['a request', (connection, signal) => connection.request('x', signal && { signal }), {}],
  ['a request', (connection, signal) => connection.request('x', signal && { signal }), { framing: lines() }],
];

describe.each(calls)("%s that isn't awaited", (_, call, options) => {
  it('is reported where it fails', async () => {
    const { connection, errors } = await handMadePair(options);
    void call(connection);
    await turn();
    connection.destroy(new Error('cut'));
    await connection.closed;
    await turn();
    expect(errors.map(({ message }) => message)).toEqual(['cut']);
  });

  it("isn't reported where its own signal ended it", async () => {
    const { connection, errors } = await handMadePair(options);
    const controller = new AbortController();
    void call(connection, controller.signal);
    await turn();
    controller.abort(new Error('enough'));
    await turn();
    expect(errors.filter(({ message }) => message === 'enough')).toEqual([]);
    connection.destroy();
    await connection.closed;
  });

  it('is reported to its caller only where it is awaited', async () => {
    const { connection, errors } = await handMadePair(options);
    const failed = expect(call(connection)).rejects.toThrow('cut');
    await turn();
    connection.destroy(new Error('cut'));
    await failed;
    await turn();
    expect(errors).toEqual([]);
  });

  it('leaves no listener on its signal', async () => {
    const { connection } = await handMadePair(options);
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    Object.assign(signal, {
      addEventListener: (...given: Parameters<typeof add>) => {
        listeners += 1;
        add(...given);
      },
      removeEventListener: (...given: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...given);
      },
    });
    const failed = expect(call(connection, signal)).rejects.toThrow('cut');
    await turn();
    expect(listeners).toBe(1);
    connection.destroy(new Error('cut'));
    await failed;
    expect(listeners).toBe(0);
  });
});

describe('a call that fails at once', () => {
  it("is reported too where it isn't awaited", async () => {
    const { connection, errors } = await handMadePair({ framing: lines() });
    void connection.ping();
    void connection.request('with\na line feed');
    await turn();
    expect(errors).toMatchObject([
      { code: 'KNSOCK_FRAMING_MISMATCH' },
      { message: expect.stringContaining('line') as string },
    ]);
    connection.destroy();
  });

  it("isn't where its signal had fired before", async () => {
    const { connection, errors, peer } = await handMadePair();
    const signal = AbortSignal.abort(new Error('before'));
    for (const call of [connection.ping({ signal }), connection.receive({ signal })])
      await expect(call).rejects.toThrow('before');
    await turn();
    expect([errors, peer.of('PING')]).toEqual([[], []]);
    connection.destroy();
  });
});

describe("sends that aren't awaited", () => {
  it('go out up to the bound, and beyond it are reported one by one, those with a caller excepted', async () => {
    const { connection, errors, peer } = await handMadePair({ limits: { maxQueuedBytes: 100_000 } });
    peer.stream.pause();
    const message = 'x'.repeat(5_000);
    for (let n = 0; n < 50; n += 1) void connection.send(message);
    const heard = connection.send('the last').then(() => 'sent');
    await turn();
    peer.stream.resume();
    expect(await heard).toBe('sent');
    await turn();
    const sent = peer.of('MESSAGE').map(({ body }) => body);
    expect(sent.at(-1)).toBe('the last');
    expect(sent.length - 1 + errors.length).toBe(50);
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors.map((error) => (error as { code?: string }).code))).toEqual(
      new Set(['KNSOCK_QUEUE_FULL']),
    );
    connection.destroy();
  });
});

describe("a request that waits for a slot and isn't awaited", () => {
  it('is reported as never sent, unless its own signal ended it', async () => {
    const { connection, errors } = await handMadePair({ welcome: { maxInFlight: 1 } });
    connection.request('first').catch(() => undefined);
    const controller = new AbortController();
    void connection.request('second', { signal: controller.signal });
    void connection.request('third');
    await turn();
    controller.abort(new Error('enough'));
    await turn();
    expect(errors).toEqual([]);
    connection.destroy(new Error('cut'));
    await connection.closed;
    await turn();
    expect(errors).toMatchObject([{ code: 'KNSOCK_REQUEST_NOT_STARTED' }]);
  });
});
