import { Buffer } from 'node:buffer';

type MakeView = new (memory: ArrayBufferLike, offset: number, length: number) => Buffer;

/** Node's own class of buffers, which it names as the one to make parts of a `Buffer` with. */
const NodeBuffer = (Buffer as unknown as { readonly [Symbol.species]: MakeView })[Symbol.species];

/** The same bytes in memory of their own, which shares nothing with Node's pool. */
export function copyOf(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/**
 * A buffer over a part of `memory`, as `subarray` makes it at twice the cost: one is made for every message, and asking a
 * chunk for its memory is the dear part, which is done once a chunk.
 */
export function viewOf(memory: ArrayBufferLike, offset: number, length: number): Buffer {
  return new NodeBuffer(memory, offset, length);
}
