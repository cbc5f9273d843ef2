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

  it('sends a large payload without a copy, after what came before', () => {
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

  it('keeps every byte in order, for all sizes and moments of flushing', async () => {
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

describe('a writer and what it wrote', () => {
  /** A writer that counts what it reports of its writes. */
  function counted() {
    const [stream] = memoryPair();
    let written = 0;
    const writer = new Writer(stream, { written: () => (written += 1) });
    return { stream, writer, written: () => written, texts: () => stream.writes.map(String) };
  }

  it('reports each write, and nothing else', async () => {
    const { writer, written } = counted();
    writer.flush();
    writer.hold();
    writer.release();
    expect(written()).toBe(0);
    say(writer, Buffer.from('a'));
    expect(written()).toBe(0);
    writer.flush();
    expect(written()).toBe(1);
    say(writer, Buffer.alloc(LARGEST_COPY + 1));
    expect(written()).toBe(2);
    await turn();
    expect(written()).toBe(2);
  });

  it('knows how many bytes are gathered, and takes back none that were sent', () => {
    const { writer, texts } = counted();
    writer.append(Buffer.from('abc'));
    expect(writer.gatheredBytes).toBe(3);
    writer.rewind(1);
    expect(writer.gatheredBytes).toBe(1);
    writer.flush();
    expect(writer.gatheredBytes).toBe(0);
    writer.rewind(1);
    writer.append(Buffer.from('d'));
    writer.flush();
    expect(texts()).toEqual(['a', 'd']);
  });

  it('copies a payload up to the largest, and so sends it with what follows', () => {
    const { writer, stream } = counted();
    writer.append(Buffer.alloc(LARGEST_COPY, 1));
    writer.append(Buffer.from('x'));
    expect(stream.writes).toHaveLength(0);
    writer.flush();
    expect(stream.writes.map((write) => write.length)).toEqual([LARGEST_COPY + 1]);
  });

  it('releases a payload that it copied to its owner', () => {
    for (const length of [1, 40, 41, LARGEST_COPY]) {
      const { writer, stream } = counted();
      const payload = Buffer.alloc(length, 1);
      writer.append(payload);
      payload.fill(2);
      writer.flush();
      expect(stream.writes[0]?.every((byte) => byte === 1)).toBe(true);
    }
  });

  it('sends what is written after an early flush at the end of the turn, in each turn', async () => {
    const { writer, texts } = counted();
    say(writer, Buffer.from('a'));
    writer.flush();
    say(writer, Buffer.from('b'));
    await turn();
    expect(texts()).toEqual(['a', 'b']);
    say(writer, Buffer.from('c'));
    await turn();
    expect(texts()).toEqual(['a', 'b', 'c']);
  });

  it('sends nothing with the turn while input is handled', async () => {
    const { writer, texts } = counted();
    writer.hold();
    say(writer, Buffer.from('a'));
    await turn();
    expect(texts()).toEqual([]);
    writer.release();
    say(writer, Buffer.from('b'));
    await turn();
    expect(texts()).toEqual(['a', 'b']);
  });

  it('keeps what was gathered when it needs more room, and splits only where a slab is full', () => {
    const { writer, stream } = counted();
    const whole = Buffer.concat([Buffer.from('start'), Buffer.alloc(5_000, 1), Buffer.from('end')]);
    writer.append(whole.subarray(0, 5));
    writer.append(whole.subarray(5, 5_005));
    writer.append(whole.subarray(5_005));
    writer.flush();
    expect(stream.writes).toHaveLength(1);
    expect(Buffer.from(stream.writes[0] as Uint8Array).equals(whole)).toBe(true);
  });
});
