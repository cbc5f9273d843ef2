import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { raw } from '../framing/index.js';
import { connectedPair, handMadePair, turn } from '../testing/connected-pair.js';

const framing = raw();
const CONSUMED = expect.objectContaining({ code: 'KNSOCK_CONSUMED' }) as Error;

/** Everything that a stream delivers until its end. */
async function all(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('the raw bytes as a stream', () => {
  it('go both ways, and each direction ends on its own', async () => {
    const { client, server } = await connectedPair({ framing });
    const [near, far] = [client.connection.stream(), server.connection.stream()];
    near.end('ping');
    expect(await all(far)).toBe('ping');
    expect(client.connection.state).not.toBe('closed');
    far.end('pong');
    expect(await all(near)).toBe('pong');
    expect((await client.connection.closed).clean).toBe('unknown');
    expect((await server.connection.closed).error).toBeUndefined();
  });

  it('begin with what arrived before they were taken over', async () => {
    const { client, server } = await connectedPair({ framing });
    client.connection.write('early ');
    await turn();
    const far = server.connection.stream();
    expect(server.connection.stream()).toBe(far);
    client.connection.write('late');
    await turn();
    void client.connection.close();
    expect(await all(far)).toBe('early late');
  });

  it('end at once where the peer had ended before', async () => {
    const { peer, connection } = await handMadePair({ framing });
    peer.endsInTurn = false;
    // A consumer that may still take the bytes holds the connection.
    connection.pause();
    connection.onDraining(() => undefined);
    const taken = connection.stream();
    peer.stream.end();
    expect(await all(taken)).toBe('');
    taken.end('ours');
    await turn();
    expect(peer.text).toBe('ours');
    expect(peer.ended).toBe(true);
  });

  it('that nobody reads end too, where nothing is left to read', async () => {
    const { peer, connection } = await handMadePair({ framing });
    peer.endsInTurn = false;
    const idle = connection.stream();
    peer.stream.end();
    await once(idle, 'end');
    expect(idle.readableEnded).toBe(true);
    connection.destroy();
    const unread = await handMadePair({ framing });
    const held = unread.connection.stream();
    unread.peer.stream.write(Buffer.from('unread'));
    unread.peer.stream.end();
    await turn();
    expect(held.readableEnded).toBe(false);
    expect(await all(held)).toBe('unread');
    unread.connection.destroy();
  });

  it('have one consumer', async () => {
    const { client, server } = await connectedPair({ framing });
    client.connection.onMessage(() => undefined);
    expect(() => client.connection.stream()).toThrow(CONSUMED);
    server.connection.stream();
    expect(() => {
      server.connection.onMessage(() => undefined);
    }).toThrow(CONSUMED);
    await expect(server.connection.receive()).rejects.toThrow('stream() takes the bytes');
    await expect(server.connection.relay(client.connection)).rejects.toThrow(CONSUMED);
  });

  it('wait for a peer that reads slowly', async () => {
    const { client, server } = await connectedPair({ framing });
    const near = client.connection.stream();
    const far = server.connection.stream();
    let taken = 0;
    const chunk = Buffer.alloc(65_536, 1);
    while (near.write(chunk, () => (taken += 1)) || near.writableLength < 1_000_000);
    await turn(20);
    // The peer doesn't read: some bytes are in flight, most wait.
    expect(taken).toBeLessThan(12);
    near.end();
    let bytes = 0;
    for await (const part of far) bytes += (part as Buffer).length;
    expect(bytes).toBeGreaterThanOrEqual(1_000_000);
    expect(bytes % chunk.length).toBe(0);
  });

  it('fail with the connection, and report it to their listeners', async () => {
    const { client } = await connectedPair({ framing });
    const near = client.connection.stream();
    const failed = once(near, 'error');
    const cause = new Error('cut');
    client.connection.destroy(cause);
    expect(await failed).toEqual([cause]);
    expect(client.errors).toEqual([]);
    expect(near.destroyed).toBe(true);
  });

  it('fail without ending the process where there is no listener', async () => {
    const { client } = await connectedPair({ framing });
    client.connection.stream();
    client.connection.destroy(new Error('cut'));
    await turn();
    expect(client.errors.map(({ message }) => message)).toEqual(['cut']);
  });

  it('end the connection when the program destroys them', async () => {
    const { client, server } = await connectedPair({ framing });
    const near = client.connection.stream();
    near.on('error', () => undefined);
    near.destroy(new Error('enough'));
    expect(await client.connection.closed).toMatchObject({ error: { message: 'enough' } });
    await server.connection.closed;
    const quiet = await connectedPair({ framing });
    quiet.client.connection.stream().destroy();
    expect((await quiet.client.connection.closed).error).toBeUndefined();
  });

  it('end at once on a connection that is gone', async () => {
    const { client } = await connectedPair({ framing });
    client.connection.destroy(new Error('cut'));
    await client.connection.closed;
    const late = client.connection.stream();
    const [error] = (await once(late, 'error')) as [Error];
    expect(error.message).toBe('cut');
    const ended = await connectedPair({ framing });
    void ended.client.connection.close();
    await ended.server.connection.closed;
    const stream = ended.server.connection.stream();
    stream.on('error', (unexpected) => {
      throw unexpected;
    });
    expect(await all(stream)).toBe('');
  });

  it("fail by the stream's error when written to after the end", async () => {
    const { client } = await connectedPair({ framing });
    const near = client.connection.stream();
    near.on('error', () => undefined);
    client.connection.destroy(new Error('cut'));
    await client.connection.closed;
    const failed = new Promise((resolve) => near.write('x', resolve));
    expect(await failed).toBeInstanceOf(Error);
  });
});
