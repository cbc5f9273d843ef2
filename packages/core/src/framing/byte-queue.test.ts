import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { ByteQueue, EAGER_BYTES } from './byte-queue.js';

function memoryAfter(queue: ByteQueue): number {
  return queue.take().buffer.byteLength;
}

describe('ByteQueue', () => {
  it('allocates an announced message at once up to 256 KiB, and no more than that', () => {
    const small = new ByteQueue();
    small.expect(1000);
    small.append(Buffer.of(1), 0, 1);
    expect(memoryAfter(small)).toBe(1000);
    const large = new ByteQueue();
    large.expect(1 << 30);
    large.append(Buffer.of(1), 0, 1);
    expect(memoryAfter(large)).toBe(EAGER_BYTES);
  });

  it('holds at most twice what came, and exactly the message in the end', () => {
    const total = 5 * EAGER_BYTES + 123;
    const chunk = Buffer.alloc(10_000, 7);
    const queue = new ByteQueue();
    queue.expect(total);
    for (let at = 0; at < total; at += chunk.length)
      queue.append(chunk, 0, Math.min(chunk.length, total - at));
    expect(queue.length).toBe(total);
    const taken = queue.take();
    expect([taken.length, taken.buffer.byteLength]).toEqual([total, total]);
    expect(taken.every((byte) => byte === 7)).toBe(true);
  });

  it('forgets what was announced once the bytes are taken', () => {
    const queue = new ByteQueue();
    queue.expect(2);
    queue.append(Buffer.from('ab'), 0, 2);
    expect(queue.take().toString()).toBe('ab');
    queue.append(Buffer.from('cdefg'), 1, 4);
    expect(queue.take().toString()).toBe('def');
    expect(queue.take()).toHaveLength(0);
  });

  it('gives every message memory of its own', () => {
    const queue = new ByteQueue();
    const taken = ['ab', 'cd'].map((text) => {
      queue.append(Buffer.from(text), 0, 2);
      return queue.take();
    });
    expect(taken[0]!.buffer).not.toBe(taken[1]!.buffer);
    expect(taken.map(String)).toEqual(['ab', 'cd']);
  });
});
