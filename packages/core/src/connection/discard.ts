import type { Output } from '../framing/framing.js';

/** Keeps nothing: to see whether a message can be encoded, before it is accepted to be encoded later. */
export class Discard implements Output {
  readonly buffer = Buffer.alloc(1_024);

  reserve(): number {
    return 0;
  }

  append(): void {
    // Nothing is kept.
  }
}
