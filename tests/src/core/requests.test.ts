import { connect, knsock, lines, RequestError, serve, listen, type SecureConnection } from '@knsock/core';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createWorld, portOf, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});

const local = () => ({ port: 0, host: '127.0.0.1', credentials: world.server });
const to = (server: Parameters<typeof portOf>[0]) => ({
  host: 'localhost',
  port: portOf(server),
  credentials: world.anonymous,
});

/** Resolves for all waiting calls, once it is opened. */
function gate(): { wait: Promise<void>; open: () => void } {
  let open!: () => void;
  const wait = new Promise<void>((resolve) => (open = resolve));
  return { wait, open };
}

describe('the timeout of one call', () => {
  it('is refused where no timer supports it, and the connection stays open', async () => {
    await using server = await serve(local(), ({ payload }) => payload);
    await using client = await connect(to(server));
    for (const timeout of [Infinity, Number.NaN, -1, 2 ** 31, '5' as unknown as number]) {
      const wrong = { code: 'KNSOCK_INVALID_OPTION', option: 'timeout' };
      await expect(client.request('x', { timeout })).rejects.toMatchObject(wrong);
      await expect(client.receive({ timeout })).rejects.toMatchObject(wrong);
      await expect(client.ping({ timeout })).rejects.toMatchObject(wrong);
    }
    const longest = { timeout: 2 ** 31 - 1 };
    expect(String(await client.request('x', longest))).toBe('x');
    expect(await client.ping(longest)).toBeGreaterThanOrEqual(0);
  });
});

describe('ten thousand requests at once', () => {
  it.each([
    ['many at once', knsock()],
    ['one behind the other', lines()],
  ])(
    'are all answered on a framing that answers %s, though they are more than maxQueuedBytes',
    async (_how, framing) => {
      await using server = await serve({ ...local(), framing }, ({ payload }) => payload);
      await using client = await connect({ ...to(server), framing, maxQueuedBytes: 65_536 });
      const payloads = Array.from({ length: 10_000 }, (_, at) => `${at}`.padEnd(1_000, '.'));
      const answers = await Promise.all(payloads.map((payload) => client.request(payload)));
      expect(answers.map(String)).toEqual(payloads);
      expect(client.stats()).toMatchObject({ requestsWaiting: 0, queuedBytes: 0 });
    },
  );
});

describe('requests', () => {
  it('are answered in any order', async () => {
    const slow = gate();
    await using server = await serve(local(), async ({ payload }) => {
      if (String(payload) === 'slow') await slow.wait;
      return payload;
    });
    await using client = await connect(to(server));
    const first = client.request('slow');
    expect(String(await client.request('quick'))).toBe('quick');
    slow.open();
    expect(String(await first)).toBe('slow');
  });

  it('go both ways over one connection', async () => {
    const asked = gate();
    let answer = '';
    await using server = await listen(local(), async (connection) => {
      answer = String(await connection.request('who are you?'));
      asked.open();
    });
    await using client = await connect({ ...to(server), onRequest: () => 'the client' });
    await asked.wait;
    expect(answer).toBe('the client');
    expect(client.stats().messagesReceived).toBe(1);
  });

  it('are notified by their signal when the peer is gone without announcing it', async () => {
    const [started, told] = [gate(), gate()];
    await using server = await serve(local(), async ({ signal }) => {
      signal.addEventListener('abort', told.open, { once: true });
      started.open();
      await told.wait;
      return 'too late';
    });
    const client = await connect(to(server));
    const lost = expect(client.request('anything')).rejects.toMatchObject({
      code: 'KNSOCK_CONNECTION_CLOSED',
    });
    await started.wait;
    client.destroy();
    await lost;
    await told.wait;
    await vi.waitFor(() => {
      expect(server.stats().connections).toBe(0);
    });
  });

  it('that fail carry the code and message only of a RequestError', async () => {
    await using server = await serve(local(), ({ payload }) => {
      if (String(payload) === 'known') throw new RequestError('not-found', 'there is none');
      throw new Error('the password is hunter2');
    });
    await using client = await connect(to(server));
    await expect(client.request('known')).rejects.toMatchObject({
      code: 'KNSOCK_REMOTE_HANDLER',
      remoteCode: 'not-found',
      message: 'there is none',
      hint: expect.stringMatching(/remoteCode/) as string,
    });
    const failure = await client.request('other').catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ remoteCode: 'internal', hint: expect.stringMatching(/log/) as string });
    expect(String(failure)).not.toContain('hunter2');
  });

  it('that are neither text nor bytes, and such answers, are refused and harm nothing', async () => {
    const values: unknown[] = [42, { a: 1 }, [1], null, undefined, new ArrayBuffer(2), new Uint16Array(2)];
    let answer: unknown;
    const reported: Error[] = [];
    const onError = (error: Error) => void reported.push(error);
    await using server = await serve({ ...local(), onError }, () => answer as string);
    await using client = await connect(to(server));
    for (const value of values) {
      answer = value;
      await expect(client.request('x')).rejects.toMatchObject({ remoteCode: 'internal' });
      const refused = { code: 'KNSOCK_INVALID_OPTION', option: 'payload' };
      await expect(client.request(value as string)).rejects.toMatchObject(refused);
      await expect(client.send(value as string)).rejects.toMatchObject(refused);
      expect(() => client.write(value as string)).toThrow(/must be text or bytes/);
    }
    expect(reported.map(({ message }) => message.replace(/.*this one /, ''))).toEqual([
      'returned a value of type number',
      ...Array<string>(2).fill('returned a value of type object'),
      'returned null',
      'returned undefined',
      ...Array<string>(2).fill('returned a value of type object'),
    ]);
    // As in test runners, which give each file its own realm.
    answer = runInNewContext('new Uint8Array([104, 105])');
    expect(String(await client.request('x'))).toBe('hi');
  });

  it('that are aborted notify the handler, and leave the connection to others', async () => {
    const told = gate();
    await using server = await serve(local(), async ({ payload, signal }) => {
      if (String(payload) !== 'endless') return payload;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      told.open();
      return 'too late';
    });
    await using client = await connect(to(server));
    const aborter = new AbortController();
    const reason = new Error('changed my mind');
    const endless = client.request('endless', { signal: aborter.signal });
    aborter.abort(reason);
    await expect(endless).rejects.toBe(reason);
    await told.wait;
    expect(String(await client.request('next'))).toBe('next');
  });

  it('that take too long reject with the time and the phase, and their late answer is dropped', async () => {
    const late = gate();
    await using server = await serve(local(), async ({ payload }) => {
      if (String(payload) === 'late') await late.wait;
      return payload;
    });
    await using client = await connect(to(server));
    await expect(client.request('late', { timeout: 20 })).rejects.toMatchObject({
      code: 'KNSOCK_REQUEST_TIMEOUT',
      phase: 'request',
      ms: 20,
    });
    late.open();
    expect(String(await client.request('next'))).toBe('next');
  });

  it("over the peer's limit of requests in flight wait here for their turn", async () => {
    let running = 0;
    let most = 0;
    await using server = await serve({ ...local(), maxRequestsInFlight: 3 }, async ({ payload }) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return payload;
    });
    await using client = await connect(to(server));
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => client.request(`${n}`)));
    expect(answers.map(String)).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    expect(most).toBe(3);
  });

  it('that have no handler are refused with the reason', async () => {
    await using server = await listen(local(), () => undefined);
    await using client = await connect(to(server));
    await expect(client.request('anybody?')).rejects.toMatchObject({ remoteCode: 'no-handler' });
  });

  it('over the size that the peer accepts are refused here, with the numbers, and harm nothing', async () => {
    await using server = await serve({ ...local(), maxMessageBytes: 1_000 }, ({ payload }) => payload);
    await using client = await connect(to(server));
    await expect(client.request('x'.repeat(1_001))).rejects.toMatchObject({
      code: 'KNSOCK_MESSAGE_TOO_LARGE',
      size: 1_001,
      limit: 1_000,
    });
    expect((await client.request('x'.repeat(1_000))).length).toBe(1_000);
  });
});

describe('a server that drains', () => {
  it("finishes what it started, rejects what it didn't as safe to send again, and ends cleanly", async () => {
    const work = gate();
    const started = gate();
    const server = await serve(local(), async ({ payload }) => {
      started.open();
      await work.wait;
      return payload;
    });
    const address = to(server);
    const client = await connect(address);
    const draining = new Promise<void>((resolve) => client.onDraining(resolve));
    const inFlight = client.request('in flight');
    await started.wait;
    const closing = server.close();
    expect(server.close()).toBe(closing);
    await draining;
    expect(client.state).toBe('draining');
    await expect(client.request('after')).rejects.toMatchObject({
      code: 'KNSOCK_REQUEST_NOT_STARTED',
      retryable: true,
    });
    work.open();
    expect(String(await inFlight)).toBe('in flight');
    await closing;
    expect(await client.closed).toEqual({ clean: true });
    await expect(connect(address)).rejects.toMatchObject({ code: 'KNSOCK_CONNECTION_REFUSED' });
  });

  it("cuts off at its deadline what doesn't end, and reports it on both sides", async () => {
    const connections: SecureConnection[] = [];
    const server = await listen(local(), (connection) => {
      connections.push(connection);
      connection.onRequest(() => new Promise<string>(() => undefined));
    });
    const client = await connect(to(server));
    const endless = client.request('endless').catch((error: unknown) => error);
    await vi.waitFor(() => expect(connections[0]?.stats().requestsHandled).toBe(1));
    await server.close({ deadline: 50 });
    expect(await endless).toMatchObject({ code: 'KNSOCK_CONNECTION_CLOSED' });
    expect((await client.closed).clean).toBe(false);
    expect(await connections[0]?.closed).toMatchObject({ clean: false, error: { phase: 'drain' } });
  });
});

describe('ping', () => {
  it('measures the round trip, also while messages are held back', async () => {
    await using server = await listen(local(), (connection) => {
      connection.pause();
    });
    await using client = await connect(to(server));
    await client.send('held');
    expect(await client.ping()).toBeGreaterThan(0);
  });
});
