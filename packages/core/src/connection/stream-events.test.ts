import { describe, expect, it } from 'vitest';
import { knsock, lengthPrefixed, raw, type Framing } from '../framing/index.js';
import { encodeFrame, encodeWelcome, Kind } from '../framing/knsock/index.js';
import { sideOver, turn } from '../testing/connected-pair.js';
import { MemoryOutput } from '../testing/memory-output.js';
import type { ByteStreamEvents } from '../transport/byte-stream.js';
import { memoryPair } from '../transport/memory-pair.js';

/** A connection, and its events as the stream below sees them. */
async function opened(framing: Framing) {
  const [near, far] = memoryPair();
  let events!: ByteStreamEvents;
  const open = near.open.bind(near);
  Object.assign(near, {
    open: (given: ByteStreamEvents) => {
      events = given;
      open(given);
    },
  });
  const side = sideOver(near, { framing });
  const opening = side.connection.open();
  far.open({ data: () => undefined, end: () => undefined, drain: () => undefined, gone: () => undefined });
  if (framing.name === 'knsock') {
    const out = new MemoryOutput();
    encodeWelcome(out, { maxMessage: 1_048_576, maxInFlight: 128 });
    far.write(out.bytes());
  }
  await opening;
  return { ...side, far, events };
}

function frame(payload: Buffer): Buffer {
  const out = new MemoryOutput();
  encodeFrame(Kind.MESSAGE, 0, payload, out);
  return Buffer.from(out.bytes());
}

describe('memory that is lent to a connection', () => {
  it.each<[string, Framing, (payload: Buffer) => Buffer]>([
    ['knsock', knsock(), frame],
    [
      'length-prefixed',
      lengthPrefixed(),
      (payload) => Buffer.concat([Buffer.from([0, 0, payload.length >> 8, payload.length & 255]), payload]),
    ],
  ])('may be reused as far as the framing reports, within a message: %s', async (_, framing, encode) => {
    const { connection, events } = await opened(framing);
    const payload = Buffer.alloc(2_000, 1);
    const bytes = encode(payload);
    events.data(bytes.subarray(0, 100));
    const copied = events.copiesNext ?? 0;
    expect(copied).toBeGreaterThan(0);
    const lent = Buffer.from(bytes.subarray(100, 100 + copied));
    events.data(lent);
    lent.fill(0xee);
    events.data(bytes.subarray(100 + copied));
    const received = await connection.receive();
    expect(received?.equals(payload)).toBe(true);
    connection.destroy();
  });

  it("isn't used again once the program takes over the raw bytes", async () => {
    const { connection, events } = await opened(raw());
    connection.stream();
    expect(events.copiesNext).toBe(0);
    connection.destroy();
  });

  it("isn't requested by a connection that discards its input", async () => {
    const { connection, events, far } = await opened(knsock());
    events.data(frame(Buffer.alloc(2_000)).subarray(0, 100));
    expect(events.copiesNext).toBeGreaterThan(0);
    connection.fail(new Error('over'));
    expect(events.copiesNext).toBe(0);
    // Further input is neither a message nor an error.
    events.data(Buffer.from('anything'));
    await turn();
    far.end();
    const { error } = await connection.closed;
    expect(error?.message).toContain('over');
  });
});
