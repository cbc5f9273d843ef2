import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createCredentials } from '../credentials/credentials.js';
import { makeCertificate } from '../testing/made-certificates.js';
import { parseListen, type ListenOptions } from './config.js';
import { HandshakeFailures } from './handshake-failures.js';
import { HandshakeTracker } from './handshake-tracker.js';
import type { PendingConnection } from './pending-connection.js';
import type { ServerContext } from './server-context.js';
import { VirtualHosts } from './virtual-hosts.js';

const own = makeCertificate({ commonName: 'us', names: ['us.test'], usage: 'server' });
const credentials = createCredentials({ cert: own.pem, key: own.keyPem });

interface Counters {
  remoteAddress?: string | undefined;
  bytesRead?: number;
  bytesWritten?: number;
}

/** A socket that isn't connected, with the counters of one that is. */
function socketWith(facts: Counters = {}): Socket & { bytesRead: number; bytesWritten: number } {
  const all = { remoteAddress: '192.0.2.1', remotePort: 4_000, bytesRead: 0, bytesWritten: 0, ...facts };
  const entries = Object.entries(all).map(([name, value]) => [name, { value, writable: true }] as const);
  return Object.defineProperties(new Socket(), Object.fromEntries(entries));
}

/** A tracker, the sockets that reached TLS, and what it published. */
function tracking(options: Partial<ListenOptions> = {}) {
  const errors: Error[] = [];
  const place = options.path === undefined ? { port: 0 } : {};
  const config = parseListen({
    ...place,
    credentials,
    onError: (error) => void errors.push(error),
    ...options,
  });
  const taken: Socket[] = [];
  const context = { take: (socket: Socket) => void taken.push(socket) } as unknown as ServerContext;
  const hosts = new VirtualHosts(context, new Map(), 'default');
  const tracker = new HandshakeTracker(config, () => hosts, new HandshakeFailures());
  const come = (facts: Counters = {}, descriptorsLeft = true) => {
    const socket = socketWith(facts);
    tracker.accept(socket, descriptorsLeft);
    return socket;
  };
  const pendingOf = (socket: Socket) => tracker.find(socket) as PendingConnection;
  return { tracker, taken, come, pendingOf, errors };
}

let failures: { address: string; error: Error }[];
let refusals: { address: string; limit: string }[];
const onFailure = (event: unknown): void => void failures.push(event as never);
const onRefusal = (event: unknown): void => void refusals.push(event as never);

beforeEach(() => {
  failures = [];
  refusals = [];
  subscribe('knsock:failure', onFailure);
  subscribe('knsock:admission', onRefusal);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
});
afterEach(() => {
  unsubscribe('knsock:failure', onFailure);
  unsubscribe('knsock:admission', onRefusal);
  vi.useRealTimers();
});

/** Closed sockets emit `close` after this turn's callbacks. */
const closed = (): Promise<void> =>
  new Promise((resolve) => process.nextTick(() => process.nextTick(resolve)));

describe('an accepted socket', () => {
  it('proceeds to TLS, and is pending until it closes', async () => {
    const { tracker, taken, come, pendingOf } = tracking();
    const socket = come();
    expect([tracker.accepted, tracker.pending, taken]).toEqual([1, 1, [socket]]);
    expect(pendingOf(socket).address).toBe('192.0.2.1:4000');
    socket.destroy();
    await closed();
    expect([tracker.pending, tracker.find(socket)]).toEqual([0, undefined]);
  });

  it('without an address was reset before: it is closed, and counts as refused by no limit', () => {
    const { tracker, taken, come } = tracking();
    const socket = come({ remoteAddress: undefined });
    expect(socket.destroyed).toBe(true);
    expect([tracker.accepted, tracker.pending, taken, refusals]).toEqual([1, 0, [], []]);
    expect(Object.values(tracker.refusedSockets).every((count) => count === 0)).toBe(true);
  });

  it('of a Unix socket needs no address', () => {
    const { taken, come } = tracking({ path: '/run/knsock-test' });
    const socket = come({ remoteAddress: undefined });
    expect(taken).toEqual([socket]);
  });

  it('that fails on its own ends nothing else', async () => {
    const { come } = tracking();
    const socket = come();
    socket.destroy(new Error('reset'));
    await closed();
    expect(socket.destroyed).toBe(true);
  });
});

describe('a socket that is refused', () => {
  it('is closed, counted by its limit and published, and takes no place', () => {
    const { tracker, taken, come } = tracking({ deny: ['192.0.2.9'] });
    const socket = come({ remoteAddress: '::ffff:192.0.2.9' });
    expect([socket.destroyed, tracker.pending, taken]).toEqual([true, 0, []]);
    expect(tracker.refusedSockets.denied).toBe(1);
    expect(refusals).toEqual([{ address: '192.0.2.9', limit: 'denied' }]);
  });

  it('of a Unix socket is named by its path', () => {
    const { come, tracker } = tracking({ path: '/run/knsock-test' });
    tracker.close();
    come({ remoteAddress: undefined });
    expect(refusals).toEqual([
      { address: expect.stringMatching(/^a local peer/) as string, limit: 'closing' },
    ]);
  });

  it('is any socket once the server closes', () => {
    const { tracker, come } = tracking();
    tracker.close();
    expect(come().destroyed).toBe(true);
    expect(tracker.refusedSockets.closing).toBe(1);
  });

  it('is never an active one: where no place is free, it is the new one', () => {
    const { tracker, come } = tracking({ maxConnections: 1 });
    const first = come();
    first.bytesWritten = 1;
    const second = come();
    expect([first.destroyed, second.destroyed, tracker.refusedSockets.connections]).toEqual([false, true, 1]);
  });

  it.each([
    ['connections', { maxConnections: 2 }, true],
    ['handshakes', { maxPendingHandshakes: 2 }, true],
    ['descriptors', {}, false],
  ] as const)('is the one silent for longest where another needs its place: %s', (limit, options, left) => {
    const { tracker, come, taken } = tracking(options);
    const [first, second] = [come(), come()];
    const third = come({}, left);
    expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    expect([tracker.refusedSockets[limit], tracker.pending, taken]).toEqual([1, 2, [first, second, third]]);
    expect(refusals).toEqual([{ address: '192.0.2.1:4000', limit }]);
    // No handshake had begun.
    expect([tracker.failed, failures]).toEqual([0, []]);
  });

  it('is one that stopped in its handshake, after a second of silence', () => {
    const { tracker, come } = tracking({ maxPendingHandshakes: 2 });
    const [first, second] = [come(), come()];
    for (const socket of [first, second]) Object.assign(socket, { bytesWritten: 1, bytesRead: 100 });
    vi.advanceTimersByTime(1_001);
    expect(come().destroyed).toBe(true);
    vi.advanceTimersByTime(1_001);
    second.bytesRead = 200;
    const fourth = come();
    expect([first, second, fourth].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
    expect(tracker.refusedSockets.handshakes).toBe(2);
  });

  it('frees its place when it closes, also in the counts by address', async () => {
    const { come, tracker } = tracking({ maxConnections: 1, maxConnectionsPerAddress: 1 });
    const first = come();
    first.bytesWritten = 1;
    expect(come().destroyed).toBe(true);
    first.destroy();
    await closed();
    expect(come().destroyed).toBe(false);
    expect([tracker.refusedSockets.address, tracker.refusedSockets.connections]).toEqual([1, 0]);
  });
});

describe('a handshake', () => {
  it('that is broken off is counted once as a failure, where something was sent', () => {
    const { tracker, come, pendingOf } = tracking();
    const socket = come();
    const pending = pendingOf(socket);
    socket.bytesRead = 1;
    const error = new Error('broken');
    tracker.broken(pending, error);
    tracker.broken(pending, error);
    expect([tracker.failed, tracker.pending]).toEqual([1, 0]);
    expect(failures).toMatchObject([{ address: '192.0.2.1:4000', error }]);
    expect(pending.signal.reason).toBe(error);
  });

  it("doesn't begin with a proxy's header, so nothing failed where nothing follows", () => {
    const { tracker, come, pendingOf } = tracking();
    const socket = come();
    const pending = pendingOf(socket);
    Object.assign(pending, { headerBytes: 20 });
    socket.bytesRead = 20;
    tracker.broken(pending, new Error('broken'));
    expect([tracker.failed, tracker.pending, failures]).toEqual([0, 0, []]);
  });

  it('is left once', () => {
    const { tracker, come, pendingOf } = tracking();
    const pending = pendingOf(come());
    expect([tracker.leave(pending, null), tracker.leave(pending, new Error('late'))]).toEqual([true, false]);
    expect(pending.signal.aborted).toBe(false);
  });

  it('whose peer leaves fails, and its socket is closed after what is still to be sent', () => {
    const { tracker, come, pendingOf } = tracking();
    const socket = come();
    socket.bytesRead = 1;
    const destroySoon = vi.spyOn(socket, 'destroySoon');
    tracker.left(pendingOf(socket));
    expect(destroySoon).toHaveBeenCalledOnce();
    expect(failures).toMatchObject([{ error: { message: '192.0.2.1:4000 went away during the handshake' } }]);
  });

  it('that takes too long fails and is closed', () => {
    const { tracker, come } = tracking({ handshakeTimeout: 5_000 });
    const socket = come();
    socket.bytesRead = 1;
    vi.advanceTimersByTime(4_999);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(2);
    expect([socket.destroyed, tracker.failed, tracker.pending]).toEqual([true, 1, 0]);
    expect(failures).toMatchObject([
      { error: { message: "192.0.2.1:4000 didn't finish its handshake within 5000 ms" } },
    ]);
  });

  it('whose verification takes too long keeps its socket, so that the reason can be sent', () => {
    const { tracker, come, pendingOf } = tracking({ handshakeTimeout: 5_000 });
    const socket = come();
    const pending = pendingOf(socket);
    Object.assign(pending, { verifying: true });
    const { signal } = pending;
    vi.advanceTimersByTime(5_001);
    expect(signal.reason).toMatchObject({
      phase: 'verdict',
      message: 'verifying 192.0.2.1:4000 took over 5000 ms',
    });
    expect([socket.destroyed, tracker.failed, tracker.pending]).toEqual([false, 0, 1]);
  });

  it('reports what a listener of its signal throws', () => {
    const { come, pendingOf, errors, tracker } = tracking();
    const pending = pendingOf(come());
    pending.signal.addEventListener('abort', () => {
      throw new Error('listener');
    });
    tracker.fail(pending, new Error('over'));
    expect(errors.map(({ message }) => message)).toEqual(['listener']);
  });
});

describe('ending the pending connections', () => {
  function three() {
    const made = tracking();
    const [silent, speaking, secured] = [made.come(), made.come(), made.come()];
    speaking.bytesWritten = 1;
    secured.bytesWritten = 1;
    Object.assign(made.pendingOf(secured), { secured: true });
    return { ...made, destroyed: () => [silent, speaking, secured].map((socket) => socket.destroyed) };
  }

  it('begins with those that sent nothing, then those in their handshake, then all', () => {
    const { tracker, destroyed } = three();
    expect(destroyed()).toEqual([false, false, false]);
    tracker.close();
    expect(destroyed()).toEqual([true, false, false]);
    tracker.giveUp();
    expect(destroyed()).toEqual([true, true, false]);
    tracker.destroy();
    expect(destroyed()).toEqual([true, true, true]);
  });
});

describe('what is exchanged before TLS', () => {
  const settled = (): Promise<void> =>
    new Promise((resolve) => process.nextTick(() => queueMicrotask(resolve)));

  it("comes first, and isn't mistaken for an answer of TLS", async () => {
    let speak = (): void => undefined;
    const { come, pendingOf, taken } = tracking({
      beforeTls: () => new Promise((resolve) => (speak = resolve)),
    });
    const socket = come();
    socket.bytesWritten = 10;
    await settled();
    expect(taken).toEqual([]);
    speak();
    await settled();
    expect(taken).toEqual([socket]);
    expect(pendingOf(socket).hasSpoken).toBe(false);
  });

  it('may refuse the client, after what was written to it', async () => {
    const refused = new Error('refused');
    const { tracker, come, taken } = tracking({ beforeTls: () => Promise.reject(refused) });
    const socket = come();
    const destroySoon = vi.spyOn(socket, 'destroySoon');
    await settled();
    expect([tracker.failed, tracker.pending, taken]).toEqual([1, 0, []]);
    expect(destroySoon).toHaveBeenCalledOnce();
    expect(failures).toMatchObject([{ error: refused }]);
  });

  it('starts no TLS where the client was refused meanwhile', async () => {
    let speak = (): void => undefined;
    const { tracker, come, pendingOf, taken } = tracking({
      beforeTls: () => new Promise((resolve) => (speak = resolve)),
    });
    const socket = come();
    tracker.leave(pendingOf(socket), new Error('out'));
    speak();
    await settled();
    expect(taken).toEqual([]);
  });
});
