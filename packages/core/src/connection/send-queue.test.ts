import { describe, expect, it } from 'vitest';
import { memoryPair, type MemoryStream } from '../transport/memory-pair.js';
import { SendQueue } from './send-queue.js';
import { Writer } from './writer.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const large = Buffer.alloc(200_000, 1);

/** Sends, and resolves once the message is on its way. */
function sent(queue: SendQueue, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error: Error | null): void => {
      if (error === null) resolve();
      else reject(error);
    };
    if (queue.send(bytes, settle) === null) resolve();
  });
}

/** A queue whose peer reads only once `peer` is opened; a message that begins with '!' can't be encoded. */
function queueTo(maxBytes = 1_000_000): {
  queue: SendQueue;
  stream: MemoryStream;
  received: () => string;
  read: () => void;
  events: string[];
  dropped: (Error | null)[];
} {
  const [stream, peer] = memoryPair();
  const events: string[] = [];
  const dropped: (Error | null)[] = [];
  const received: Buffer[] = [];
  const writer = new Writer(stream, {
    written: () => {
      queue.written();
    },
  });
  const check = (bytes: Uint8Array): void => {
    if (bytes[0] === 0x21) throw new Error('unsayable');
  };
  const queue: SendQueue = new SendQueue(stream, writer, maxBytes, {
    encode: (bytes) => {
      check(bytes);
      writer.append(bytes);
      writer.commit();
    },
    check,
    congested: () => events.push('congested'),
    relieved: () => events.push('relieved'),
    dropped: (why) => dropped.push(why),
  });
  stream.open({
    data: () => undefined,
    end: () => undefined,
    drain: () => {
      queue.drained();
    },
    gone: () => undefined,
  });
  return {
    queue,
    stream,
    events,
    dropped,
    received: () => Buffer.concat(received).toString('latin1'),
    read: () => {
      peer.open({
        data: (chunk) => received.push(chunk),
        end: () => undefined,
        drain: () => undefined,
        gone: () => undefined,
      });
    },
  };
}

describe('SendQueue', () => {
  it('accepts at once while the peer keeps up', async () => {
    const { queue } = queueTo();
    expect(queue.write(Buffer.from('a'))).toBe(true);
    await sent(queue, Buffer.from('b'));
    await queue.ready();
  });

  it('asks to wait once the peer falls behind, and continues in order when it has caught up', async () => {
    const { queue, received, read, events } = queueTo();
    expect(queue.write(large)).toBe(false);
    expect(queue.write(Buffer.from('b'))).toBe(false);
    const sending = sent(queue, Buffer.from('c'));
    expect(queue.write(Buffer.from('d'))).toBe(false);
    read();
    await queue.ready();
    await sending;
    await turn();
    await turn();
    expect(received().slice(200_000)).toBe('bcd');
    expect(events).toEqual(['congested', 'relieved']);
    expect(queue.queuedBytes).toBe(0);
  });

  it('resolves send once the message is on its way, and lets the next one wait', async () => {
    const { queue } = queueTo();
    await sent(queue, large);
    const settled = await Promise.race([
      sent(queue, Buffer.from('x')).then(() => 'sent'),
      turn().then(() => 'waits'),
    ]);
    expect(settled).toBe('waits');
  });

  it('drops what exceeds its limit and loses nothing of the rest', () => {
    const { queue, dropped } = queueTo(201_024);
    queue.write(large);
    queue.write(Buffer.alloc(1_024));
    expect(queue.write(Buffer.alloc(1))).toBe(false);
    expect(dropped).toEqual([expect.objectContaining({ code: 'KNSOCK_QUEUE_FULL' })]);
    expect(dropped[0]?.message).toContain(
      '201024 bytes wait until the peer has read what was sent before, and 1 more are over the limit of 201024',
    );
    expect(queue.post(Buffer.alloc(1))).toBe(false);
    expect(dropped).toHaveLength(1);
    expect(queue.queuedBytes).toBe(200_000 + 1_024);
  });

  it('reports why it drops, once until there is room again', async () => {
    const { queue, dropped, read, received } = queueTo(200_000);
    queue.write(large);
    for (let count = 0; count < 3; count += 1) expect(queue.write(Buffer.from('lost'))).toBe(false);
    expect(dropped.map((why) => why === null)).toEqual([false, true, true]);
    read();
    await queue.ready();
    queue.write(large);
    expect(queue.write(Buffer.from('lost'))).toBe(false);
    expect(dropped.map((why) => why === null)).toEqual([false, true, true, false]);
    await queue.ready();
    await turn();
    await turn();
    expect(received()).toBe(String(Buffer.concat([large, large])));
  });

  it('accepts a message larger than its limit when nothing waits, and no second one', () => {
    const { queue } = queueTo(1_024);
    expect(queue.post(large)).toBe(true);
    expect(queue.post(Buffer.alloc(1))).toBe(false);
    expect(queue.isFull).toBe(true);
  });

  it('counts what waits elsewhere against the limit', () => {
    const { queue } = queueTo(201_024);
    queue.write(large);
    expect(queue.hasRoomFor(1_024)).toBe(true);
  });

  it('keeps answers in the order of the messages, and withdraws what was not sent', async () => {
    const { queue, received, read } = queueTo();
    queue.write(large);
    queue.write(Buffer.from('a'));
    queue.answer(1, () => queue.write(Buffer.from('A')));
    let failure: Error | null = null;
    const waiting = queue.send(Buffer.from('x'), (error) => (failure = error));
    queue.write(Buffer.from('b'));
    expect([queue.takeBack(waiting), queue.takeBack(waiting)]).toEqual([true, false]);
    read();
    await queue.ready();
    await turn();
    await turn();
    expect(received().slice(200_000)).toBe('aAb');
    expect([failure, queue.waitingBytes]).toEqual([null, 0]);
  });

  it("refuses a message that can't be encoded at once, also while the peer reads slowly", async () => {
    const { queue, received, read } = queueTo();
    expect(() => queue.write(Buffer.from('!'))).toThrow('unsayable');
    queue.write(large);
    expect(() => queue.write(Buffer.from('!'))).toThrow('unsayable');
    expect(() => queue.send(Buffer.from('!'), () => undefined)).toThrow('unsayable');
    queue.write(Buffer.from('ok'));
    read();
    await queue.ready();
    await turn();
    await turn();
    expect(received().slice(200_000)).toBe('ok');
  });

  it('sends a backlog of small messages in few writes', async () => {
    const { queue, stream, read } = queueTo();
    queue.write(large);
    for (let i = 0; i < 1_000; i++) queue.write(Buffer.from('0123456789'));
    read();
    await queue.ready();
    await turn();
    await turn();
    expect(stream.writes.length).toBeLessThan(5);
    expect(stream.bytesWritten).toBe(210_000);
  });

  it('fails every waiting call when the connection ends, and every later call', async () => {
    const { queue } = queueTo();
    queue.write(large);
    const waits = [queue.ready(), sent(queue, Buffer.from('x'))];
    const error = new Error('gone');
    queue.close(() => error);
    for (const wait of waits) await expect(wait).rejects.toBe(error);
    await expect(queue.ready()).rejects.toBe(error);
  });
});
