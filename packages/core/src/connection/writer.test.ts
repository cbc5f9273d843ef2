import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryPair, type MemoryStream } from '../transport/memory-pair.js';
import { LARGEST_COPY } from './slab-pool.js';
import { Writer } from './writer.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function writerOver(stream: MemoryStream): Writer {
  return new Writer(stream, { written: () => undefined });
}

function say(writer: Writer, bytes: Uint8Array): void {
  writer.append(bytes);
  writer.commit();
}

describe('Writer', () => {
  it('sends all messages of a turn in one write', async () => {
    const [stream] = memoryPair();
    const writer = writerOver(stream);
    for (let i = 0; i < 100; i++) say(writer, Buffer.from(`message ${i};`));
    expect(stream.writes).toHaveLength(0);
    await turn();
    expect(stream.writes).toHaveLength(1);
    expect(String(stream.writes[0]).split(';')).toHaveLength(101);
  });

  it('waits for the promises of the turn too', async () => {
    const [stream] = memoryPair();
    const writer = writerOver(stream);
    say(writer, Buffer.from('a'));
    await Promise.resolve();
    await Promise.resolve();
    say(writer, Buffer.from('b'));
    await turn();
    expect(stream.writes.map(String)).toEqual(['ab']);
  });

  it('gathers answers while input is handled and sends them at its end', () => {
    const [stream] = memoryPair();
    const writer = writerOver(stream);
    writer.hold();
    say(writer, Buffer.from('a'));
    say(writer, Buffer.from('b'));
    expect(stream.writes).toHaveLength(0);
    writer.release();
    expect(stream.writes.map(String)).toEqual(['ab']);
  });

  it('sends a large payload from where it is, behind what came before', () => {
    const [stream] = memoryPair();
    const writer = writerOver(stream);
    say(writer, Buffer.from('before'));
    say(writer, Buffer.alloc(LARGEST_COPY + 1, 1));
    say(writer, Buffer.from('after'));
    writer.flush();
    expect(stream.writes.map((write) => write.length)).toEqual([6, LARGEST_COPY + 1, 5]);
  });

  it('takes back a message that could not be encoded', () => {
    const [stream] = memoryPair();
    const writer = writerOver(stream);
    say(writer, Buffer.from('whole'));
    const mark = writer.gatheredBytes;
    writer.append(Buffer.from('half'));
    writer.rewind(mark);
    writer.flush();
    expect(stream.writes.map(String)).toEqual(['whole']);
  });

  it('never writes an empty batch', async () => {
    const [stream] = memoryPair();
    const writer = writerOver(stream);
    writer.commit();
    writer.flush();
    await turn();
    expect(stream.writes).toHaveLength(0);
  });

  it('keeps every byte in order, whatever the sizes and the moments of flushing', async () => {
    const sizes = fc.oneof(
      fc.nat(100),
      fc.nat(20_000),
      fc.integer({ min: LARGEST_COPY - 2_000, max: LARGEST_COPY + 2_000 }),
    );
    const steps = fc.array(fc.oneof(sizes, fc.constant('flush'), fc.constant('turn')), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        const [stream, peer] = memoryPair();
        const received: Buffer[] = [];
        peer.open(collectInto(received));
        const writer = writerOver(stream);
        const expected: Buffer[] = [];
        for (const [index, step] of history.entries()) {
          if (step === 'flush') writer.flush();
          else if (step === 'turn') await turn();
          else expected.push(sendMessage(writer, index, step));
        }
        writer.flush();
        await turn();
        await turn();
        expect(Buffer.concat(received).equals(Buffer.concat(expected))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

/** A header by `reserve` and a body by `append`, as framings do. */
function sendMessage(writer: Writer, index: number, size: number): Buffer {
  const body = Buffer.alloc(size, index);
  const at = writer.reserve(4);
  writer.buffer.writeUInt32BE(size, at);
  say(writer, body);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(size);
  return Buffer.concat([header, body]);
}

function collectInto(received: Buffer[]) {
  return {
    data: (chunk: Buffer) => received.push(chunk),
    end: () => undefined,
    drain: () => undefined,
    gone: () => undefined,
  };
}
