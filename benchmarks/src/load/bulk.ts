/** Throughput: one side sends blocks, the other says one byte for each it took. */
import { BLOCK_BYTES, BLOCK_PIECES, BLOCKS_AHEAD, PIECE_BYTES } from '../bulk.js';
import { frameOf } from '../wire.js';
import type { Link } from './link.js';
import type { Done } from './done.js';

export interface BulkOptions {
  readonly ms: number;
}

/** Sends blocks, and counts those that were confirmed. */
export function blast(link: Link, { ms }: BulkOptions): Promise<Done> {
  const frame = frameOf(link.framing, Buffer.alloc(PIECE_BYTES, 'x'));
  const confirmation = frameOf(link.framing, Buffer.alloc(1)).length;
  let owed = 0;
  const pump = (): void => {
    while (owed > 0) {
      owed -= 1;
      if (link.socket.write(frame)) continue;
      link.socket.once('drain', pump);
      return;
    }
  };
  return blocks(link, { ms, blockBytes: confirmation }, (count) => {
    const idle = owed === 0;
    owed += count * BLOCK_PIECES;
    if (idle) pump();
  });
}

/** Asks for blocks, and counts what comes. */
export function sink(link: Link, { ms }: BulkOptions): Promise<Done> {
  const ask = frameOf(link.framing, Buffer.alloc(1));
  const blockBytes = frameOf(link.framing, Buffer.alloc(PIECE_BYTES)).length * BLOCK_PIECES;
  return blocks(link, { ms, blockBytes }, (count) => {
    for (let sent = 0; sent < count; sent += 1) link.socket.write(ask);
  });
}

function blocks(
  link: Link,
  { ms, blockBytes }: { ms: number; blockBytes: number },
  start: (count: number) => void,
): Promise<Done> {
  const started = performance.now();
  let begun = BLOCKS_AHEAD;
  let done = 0;
  let bytes = 0;
  return new Promise((resolve) => {
    link.taken = (length) => {
      bytes += length;
      const now = Math.floor(bytes / blockBytes);
      const fresh = now - done;
      if (fresh === 0) return;
      done = now;
      const elapsed = performance.now() - started;
      if (elapsed < ms) {
        begun += fresh;
        start(fresh);
      } else if (done === begun) resolve({ operations: (done * BLOCK_BYTES) / 2 ** 20, wallMs: elapsed });
    };
    start(BLOCKS_AHEAD);
  });
}
