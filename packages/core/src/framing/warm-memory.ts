/**
 * Memory for messages that are put together. glibc returns a block to the kernel as soon as it is freed at the end of the
 * heap, and maps large ones one by one: a stream of such messages would get the same pages from the kernel again and
 * again, zeroed each time, which costs more than all the rest of receiving them.
 *
 * glibc learns from the first large block that is freed: blocks up to its size come from the heap from then on, and
 * twice its size of free heap is kept. So a program that puts many messages together frees one that was never touched,
 * which costs address space for a moment, and from then on up to 64 MiB of freed memory stay with the process. Another
 * allocator, and a program whose environment sets glibc's thresholds, learns nothing from it.
 */
import { Buffer } from 'node:buffer';

/** Smaller blocks are seldom what a program's time goes to. */
const LARGE = 16_384;
/** A program with a large message now and then stays as it is. */
const MANY = 64;
/** Just under the largest from which glibc learns, 32 MiB. */
const LESSON = 31 * 1_048_576;

let made = 0;

/** A block of `size` bytes, uninitialized, which shares memory with no other. */
export function allocate(size: number): Buffer {
  if (size >= LARGE && made < MANY && ++made === MANY) teach();
  return Buffer.allocUnsafeSlow(size);
}

function teach(): void {
  try {
    // Freed by the next collection: nothing refers to it.
    Buffer.allocUnsafeSlow(LESSON);
  } catch {
    // Without the address space for it, memory isn't kept.
  }
}
