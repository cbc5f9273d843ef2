/** Two streams joined: bytes, back-pressure and half-closes go over in both directions. */
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Resolves when both directions have ended; the failure of either ends both. @throws what went wrong */
export async function bridge(one: Duplex, other: Duplex): Promise<void> {
  try {
    await Promise.all([pipeline(one, other), pipeline(other, one)]);
  } catch (error) {
    one.destroy();
    other.destroy();
    throw error;
  }
}
