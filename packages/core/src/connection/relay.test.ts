import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { Duplex, PassThrough, Readable, Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { raw } from '../framing/index.js';
import { handMadePair, turn } from '../testing/connected-pair.js';

const framing = raw();
const CONSUMED = expect.objectContaining({ code: 'KNSOCK_CONSUMED' }) as Error;
const cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanUp.splice(0)) clean();
});

/** A connection on raw bytes, and a peer that the test drives. */
async function end() {
  const made = await handMadePair({ framing });
  made.peer.endsInTurn = false;
  return made;
}

/** Two connected sockets. */
async function sockets(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connectTcp({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ];
  for (const socket of [near, far]) socket.on('error', () => undefined);
  cleanUp.push(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

describe('two connections that are joined', () => {
  it('pass on bytes both ways, and the end of each direction', async () => {
    const [one, other] = [await end(), await end()];
    const joined = one.connection.relay(other.connection);
    one.peer.stream.write(Buffer.from('there'));
    other.peer.stream.write(Buffer.from('and back'));
    await turn();
    expect([one.peer.text, other.peer.text]).toEqual(['and back', 'there']);
    one.peer.stream.end();
    await turn();
    expect([one.peer.ended, other.peer.ended]).toEqual([false, true]);
    other.peer.stream.write(Buffer.from('!'));
    other.peer.stream.end();
    await joined;
    expect(one.peer.text).toBe('and back!');
    expect(one.peer.ended).toBe(true);
    expect((await one.connection.closed).error).toBeUndefined();
    expect((await other.connection.closed).error).toBeUndefined();
  });

  it('begin with earlier data, and with an earlier end', async () => {
    const [one, other] = [await end(), await end()];
    one.peer.stream.write(Buffer.from('early'));
    await turn();
    const joined = one.connection.relay(other.connection);
    await turn();
    expect(other.peer.text).toBe('early');
    one.peer.stream.end();
    other.peer.stream.end();
    await joined;
  });

  it('are cut off together', async () => {
    for (const cut of [new Error('cut'), undefined]) {
      const [one, other] = [await end(), await end()];
      const joined = one.connection.relay(other.connection);
      one.connection.destroy(cut);
      await expect(joined).rejects.toThrow(cut?.message ?? 'the connection ended');
      await other.connection.closed;
      await turn();
      expect([other.peer.ended, other.peer.stream.wasReset]).toEqual([false, true]);
    }
  });

  it('say what happened to the other', async () => {
    const [one, other] = [await end(), await end()];
    const joined = one.connection.relay(other.connection);
    other.connection.destroy(new Error('gone'));
    const failed = { code: 'KNSOCK_RELAY_FAILED', message: 'the other end of a relay failed: gone' };
    await expect(joined).rejects.toMatchObject(failed);
    expect((await one.connection.closed).error).toMatchObject(failed);
  });

  it("stop reading while the other is slow, and continue when it isn't", async () => {
    const [one, other] = [await end(), await end()];
    const joined = one.connection.relay(other.connection);
    other.peer.stream.pause();
    for (let n = 0; n < 50; n += 1) {
      one.peer.stream.write(Buffer.alloc(10_000, 1));
      await turn(1);
    }
    await turn();
    expect(one.stream.bytesRead).toBeLessThan(200_000);
    other.peer.stream.resume();
    await turn(100);
    expect(other.peer.text).toHaveLength(500_000);
    one.peer.stream.end();
    other.peer.stream.end();
    await joined;
  });

  it('are taken over only where both are free', async () => {
    const [one, other, third] = [await end(), await end(), await end()];
    void one.connection.relay(other.connection);
    await expect(third.connection.relay(other.connection)).rejects.toThrow(CONSUMED);
    await expect(one.connection.relay(third.connection)).rejects.toThrow(CONSUMED);
    third.peer.stream.write(Buffer.from('still here'));
    expect(String(await third.connection.receive())).toBe('still here');
  });

  it("that are gone can't be joined", async () => {
    const [one, other] = [await end(), await end()];
    one.connection.destroy(new Error('gone before'));
    await one.connection.closed;
    await expect(one.connection.relay(other.connection)).rejects.toThrow('gone before');
    await expect(other.connection.relay(one.connection)).rejects.toThrow('gone before');
    expect(other.connection.state).toBe('open');
  });
});

describe('a connection joined with a socket', () => {
  it('passes on bytes and ends', async () => {
    const { connection, peer } = await end();
    const [near, far] = await sockets();
    const joined = connection.relay(near);
    peer.stream.write(Buffer.from('hello'));
    const [heard] = (await once(far, 'data')) as [Buffer];
    expect(String(heard)).toBe('hello');
    far.end('bye');
    peer.stream.end();
    await once(far, 'end');
    await joined;
    await turn();
    expect(peer.text).toBe('bye');
    expect(peer.ended).toBe(true);
  });

  it('is cut off when the socket is', async () => {
    const { connection, peer } = await end();
    const [near, far] = await sockets();
    const joined = connection.relay(near);
    far.resetAndDestroy();
    const { error } = await connection.closed;
    expect(error).toMatchObject({ code: 'KNSOCK_RELAY_FAILED', cause: { code: 'ECONNRESET' } });
    await expect(joined).rejects.toBe(error);
    await turn();
    expect([peer.ended, peer.stream.wasReset]).toEqual([false, true]);
  });

  it('resets the socket when it is cut off itself: a truncated stream must not look complete', async () => {
    const { connection } = await end();
    const [near, far] = await sockets();
    const joined = connection.relay(near);
    far.resume();
    const reset = once(far, 'error');
    connection.destroy(new Error('cut'));
    await expect(joined).rejects.toThrow('cut');
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
  });

  it('ends at once where the socket was destroyed before', async () => {
    const { connection } = await end();
    const [near] = await sockets();
    near.destroy();
    const joined = connection.relay(near);
    await expect(joined).rejects.toThrow('the connection ended');
    await connection.closed;
  });
});

describe('a connection joined with another stream', () => {
  const failure = (message: string): Error =>
    expect.objectContaining({
      code: 'KNSOCK_RELAY_FAILED',
      message: `the other end of a relay failed: ${message}`,
    }) as Error;

  it('that fails is cut off, and says why', async () => {
    const { connection, peer } = await end();
    const other = new PassThrough();
    const joined = connection.relay(other);
    other.destroy(new Error('the disk is full'));
    await expect(joined).rejects.toThrow(failure('the disk is full'));
    expect((await connection.closed).error).toEqual(failure('the disk is full'));
    await turn();
    expect([peer.ended, peer.stream.wasReset]).toEqual([false, true]);
  });

  it.each(['before', 'just before'])('that failed %s it is given is cut off, and says why', async (when) => {
    const { connection } = await end();
    const other = new PassThrough().on('error', () => undefined);
    other.destroy(new Error('the disk is full'));
    if (when === 'before') await turn();
    await expect(connection.relay(other)).rejects.toThrow(failure('the disk is full'));
  });

  it.each(['before', 'after'])('that the program had ended takes nothing that arrives %s', async (when) => {
    const { connection, peer } = await end();
    const other = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => { done(); } }); // prettier-ignore
    other.end();
    if (when === 'before') peer.stream.write(Buffer.from('lost otherwise'));
    await turn();
    const joined = connection.relay(other);
    if (when === 'after') peer.stream.write(Buffer.from('lost otherwise'));
    await expect(joined).rejects.toThrow(failure('write after end'));
    expect((await connection.closed).clean).toBe(false);
  });

  it('whose end was read before passes the end on', async () => {
    const { connection, peer } = await end();
    const other = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => { done(); } }); // prettier-ignore
    other.push(null);
    other.resume();
    await once(other, 'end');
    const joined = connection.relay(other);
    await turn();
    expect(peer.ended).toBe(true);
    peer.stream.end();
    await joined;
  });

  it('carries text as its bytes, and refuses other values', async () => {
    const { connection, peer } = await end();
    const source = new Duplex({ objectMode: true, read: () => undefined, write: (_chunk, _encoding, done) => { done(); } }); // prettier-ignore
    const joined = connection.relay(source);
    source.push('é');
    source.push(new Uint8Array([33]));
    await turn();
    expect(Buffer.from(peer.text, 'latin1')).toEqual(Buffer.from('é!'));
    source.push({ not: 'bytes' });
    await expect(joined).rejects.toThrow('holds a value of type object');
  });

  it('carries the bytes of a stream that reads as text', async () => {
    const { connection, peer } = await end();
    const source = new PassThrough();
    source.setEncoding('hex');
    void connection.relay(source).catch(() => undefined);
    source.write(Buffer.from('plain'));
    await turn();
    expect(peer.text).toBe('plain');
    connection.destroy();
  });

  it.each([
    ['null', null],
    ['a number', 5],
    ['a stream that is only read', Readable.from(['x'])],
    ['a stream that is only written', new Writable()],
  ])("isn't joined where that is %s, and stays open", async (_, other) => {
    const { connection, peer } = await end();
    await expect(connection.relay(other as Duplex)).rejects.toMatchObject({
      code: 'KNSOCK_INVALID_OPTION',
      option: 'other',
    });
    peer.stream.write(Buffer.from('still here'));
    expect(String(await connection.receive())).toBe('still here');
  });

  it('stops where that is full, and continues when it drains', async () => {
    const { connection, peer, stream } = await end();
    let release: () => void = () => undefined;
    let written = 0;
    const slow = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        written += chunk.length;
        release = done;
      },
    });
    slow.on('error', () => undefined);
    void connection.relay(slow).catch(() => undefined);
    for (let n = 0; n < 50; n += 1) {
      peer.stream.write(Buffer.alloc(10_000, 1));
      await turn(1);
    }
    expect(stream.bytesRead).toBeLessThan(100_000);
    for (let n = 0; n < 60; n += 1) {
      release();
      await turn(2);
    }
    expect(written).toBe(500_000);
  });

  it("stops it where the connection's peer is slow", async () => {
    const { connection, peer } = await end();
    const source = new PassThrough();
    void connection.relay(source).catch(() => undefined);
    peer.stream.pause();
    source.write(Buffer.alloc(100_000));
    await turn();
    expect(source.isPaused()).toBe(true);
    peer.stream.resume();
    await turn();
    expect(source.isPaused()).toBe(false);
    expect(peer.text.length).toBeGreaterThanOrEqual(100_000);
  });

  it('destroys it when it is cut off', async () => {
    const { connection } = await end();
    const other = new PassThrough();
    const joined = connection.relay(other);
    connection.destroy();
    await expect(joined).rejects.toThrow();
    expect(other.destroyed).toBe(true);
  });
});

describe('an end of a relay', () => {
  it('that arrived before it is passed on', async () => {
    const [one, other] = [await end(), await end()];
    one.connection.handleBy(() => new Promise(() => undefined));
    one.peer.stream.write(Buffer.from('last'));
    one.peer.stream.end();
    await turn();
    const joined = one.connection.relay(other.connection);
    await turn();
    expect([other.peer.text, other.peer.ended, one.peer.ended]).toEqual(['last', true, false]);
    other.peer.stream.end();
    await joined;
  });

  it("isn't read where the other is slow from the start, until that one reads", async () => {
    const [one, other] = [await end(), await end()];
    one.peer.stream.write(Buffer.alloc(60_000, 1));
    await turn();
    other.peer.stream.pause();
    while (other.stream.write(Buffer.alloc(10_000)));
    void one.connection.relay(other.connection).catch(() => undefined);
    const before = one.stream.bytesRead;
    for (let n = 0; n < 20; n += 1) one.peer.stream.write(Buffer.alloc(10_000, 1));
    await turn();
    expect(one.stream.bytesRead - before).toBeLessThan(100_000);
    other.peer.stream.resume();
    await turn(60);
    expect(one.stream.bytesRead - before).toBe(200_000);
    one.connection.destroy();
  });
});

describe('a stream that a connection is joined with', () => {
  /** A stream that looks like a socket, and reports how it ended. */
  class Lookalike extends Duplex {
    resets = 0;
    declare readonly remoteAddress?: string;
    declare readonly encrypted?: true;
    readonly taken: string[] = [];

    constructor(looks: { remoteAddress?: string; encrypted?: true }) {
      super({ allowHalfOpen: true });
      Object.assign(this, looks);
      this.on('error', () => undefined);
    }

    override _read(): void {
      // Its data is pushed.
    }

    override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
      this.taken.push(String(chunk));
      done();
    }

    resetAndDestroy(): this {
      this.resets += 1;
      return this.destroy();
    }
  }

  it.each([
    ['a socket', { remoteAddress: '192.0.2.9' }, 1],
    ['a pipe', {}, 0],
    ['a socket over TLS', { remoteAddress: '192.0.2.9', encrypted: true as const }, 0],
  ])('is destroyed with the connection, by a reset where it has one: %s', async (_, looks, resets) => {
    const { connection } = await end();
    const stream = new Lookalike(looks);
    const joined = connection.relay(stream);
    connection.destroy();
    await expect(joined).rejects.toThrow();
    expect([stream.destroyed, stream.resets]).toEqual([true, resets]);
  });

  it('is done once both directions have ended, and the connection too', async () => {
    const { connection, peer } = await end();
    const stream = new Lookalike({});
    let done = false;
    const joined = connection.relay(stream).then(() => (done = true));
    stream.push('from the stream');
    stream.push(null);
    await turn();
    expect([peer.text, peer.ended, done]).toEqual(['from the stream', true, false]);
    peer.stream.write(Buffer.from('from the peer'));
    peer.stream.end();
    await joined;
    expect(stream.taken).toEqual(['from the peer']);
    expect(await connection.closed).toEqual({ clean: 'unknown' });
  });

  it.each(['reading', 'writing'])(
    'that is destroyed after it had ended only %s cuts off the connection',
    async (ended) => {
      const { connection, peer } = await end();
      const stream = new Lookalike({});
      const joined = connection.relay(stream);
      if (ended === 'reading') stream.push(null);
      else peer.stream.end();
      await turn();
      stream.destroy();
      await expect(joined).rejects.toThrow('the connection ended before what it carried');
      await connection.closed;
    },
  );

  it('that has ended its side receives what the peer still sends', async () => {
    const { connection, peer } = await end();
    const stream = new Lookalike({});
    void connection.relay(stream).catch(() => undefined);
    stream.push(null);
    await turn();
    for (const word of ['a', 'b']) {
      peer.stream.write(Buffer.from(word));
      await turn();
    }
    expect(stream.taken).toEqual(['a', 'b']);
    connection.destroy();
  });
});
