import { describe, expect, it } from 'vitest';
import { memoryPair, type MemoryStream } from '../transport/memory-pair.js';
import { Outbox } from './outbox.js';
import { Writer } from './writer.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const large = Buffer.alloc(200_000, 1);

/** An outbox whose peer reads only once `peer` is opened; a message that begins with '!' can't be encoded. */
function outboxTo(maxBytes = 1_000_000): {
  outbox: Outbox;
  stream: MemoryStream;
  received: () => string;
  read: () => void;
  events: string[];
} {
  const [stream, peer] = memoryPair();
  const events: string[] = [];
  const received: Buffer[] = [];
  const writer = new Writer(stream, {
    written: () => {
      outbox.written();
    },
  });
  const check = (bytes: Uint8Array): void => {
    if (bytes[0] === 0x21) throw new Error('unsayable');
  };
  const outbox: Outbox = new Outbox(stream, writer, maxBytes, {
    encode: (bytes) => {
      check(bytes);
      writer.append(bytes);
      writer.commit();
    },
    check,
    congested: () => events.push('congested'),
    relieved: () => events.push('relieved'),
  });
  stream.open({
    data: () => undefined,
    end: () => undefined,
    drain: () => {
      outbox.drained();
    },
    gone: () => undefined,
  });
  return {
    outbox,
    stream,
    events,
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

describe('Outbox', () => {
  it('accepts at once while the peer keeps up', async () => {
    const { outbox } = outboxTo();
    expect(outbox.write(Buffer.from('a'))).toBe(true);
    await outbox.send(Buffer.from('b'), undefined);
    await outbox.ready();
  });

  it('asks to wait once the peer falls behind, and goes on in order when it has caught up', async () => {
    const { outbox, received, read, events } = outboxTo();
    expect(outbox.write(large)).toBe(false);
    expect(outbox.write(Buffer.from('b'))).toBe(false);
    const sent = outbox.send(Buffer.from('c'), undefined);
    expect(outbox.write(Buffer.from('d'))).toBe(false);
    read();
    await outbox.ready();
    await sent;
    await turn();
    await turn();
    expect(received().slice(200_000)).toBe('bcd');
    expect(events).toEqual(['congested', 'relieved']);
    expect(outbox.queuedBytes).toBe(0);
  });

  it('resolves send once the message is on its way, and lets the next one wait', async () => {
    const { outbox } = outboxTo();
    await outbox.send(large, undefined);
    const settled = await Promise.race([
      outbox.send(Buffer.from('x'), undefined).then(() => 'sent'),
      turn().then(() => 'waits'),
    ]);
    expect(settled).toBe('waits');
  });

  it('refuses what goes over its limit and loses nothing of the rest', () => {
    const { outbox } = outboxTo(1_024);
    outbox.write(large);
    outbox.write(Buffer.alloc(1_024));
    expect(() => outbox.write(Buffer.alloc(1))).toThrow(
      expect.objectContaining({ code: 'KNSOCK_QUEUE_FULL' }),
    );
    expect(outbox.queuedBytes).toBe(200_000 + 1_024);
  });

  it('refuses a message that can’t be encoded at once, also while the peer reads slowly', async () => {
    const { outbox, received, read } = outboxTo();
    expect(() => outbox.write(Buffer.from('!'))).toThrow('unsayable');
    outbox.write(large);
    expect(() => outbox.write(Buffer.from('!'))).toThrow('unsayable');
    expect(() => outbox.send(Buffer.from('!'), undefined)).toThrow('unsayable');
    outbox.write(Buffer.from('ok'));
    read();
    await outbox.ready();
    await turn();
    await turn();
    expect(received().slice(200_000)).toBe('ok');
  });

  it('sends a backlog of small messages in few writes', async () => {
    const { outbox, stream, read } = outboxTo();
    outbox.write(large);
    for (let i = 0; i < 1_000; i++) outbox.write(Buffer.from('0123456789'));
    read();
    await outbox.ready();
    await turn();
    await turn();
    expect(stream.writes.length).toBeLessThan(5);
    expect(stream.bytesWritten).toBe(210_000);
  });

  it('fails everybody who waits when the connection ends, and everybody after', async () => {
    const { outbox } = outboxTo();
    outbox.write(large);
    const waits = [outbox.ready(), outbox.send(Buffer.from('x'), undefined)];
    const error = new Error('gone');
    outbox.close(() => error);
    for (const wait of waits) await expect(wait).rejects.toBe(error);
    await expect(outbox.ready()).rejects.toBe(error);
  });
});
