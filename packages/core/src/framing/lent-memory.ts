/** The memory of the message that a listener is looking at, where it is used again afterwards: what is sent of it is copied. */
let lent: ArrayBufferLike | null = null;

/** Marks memory as lent, or none. @returns what was lent before */
export function lendMemory(memory: ArrayBufferLike | null): ArrayBufferLike | null {
  const before = lent;
  lent = memory;
  return before;
}

/** Whether bytes must be copied to be used after the listener has returned. */
export function isLent(bytes: Uint8Array): boolean {
  return lent !== null && bytes.buffer === lent;
}
