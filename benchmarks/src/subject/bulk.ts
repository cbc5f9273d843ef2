/** The measured side of throughput: sends the blocks it is asked for, or confirms those it was sent. */
import { BLOCK_BYTES, BLOCK_PIECES, PIECE_BYTES } from '../bulk.js';

/** What both of bare node:tls and knsock can do. */
export interface Line {
  /** Whether there is room for more. */
  write(payload: Buffer): boolean;
  whenReady(go: () => void): void;
}

export type BulkRole = 'sends' | 'receives';

const CONFIRMATION = Buffer.from('k');

/** @returns what to call with the size of each piece of payload that came */
export function bulk(line: Line, role: BulkRole): (bytes: number) => void {
  return role === 'sends' ? sendOnDemand(line) : confirmBlocks(line);
}

/** Each byte received asks for a block. */
function sendOnDemand(line: Line): (bytes: number) => void {
  const piece = Buffer.alloc(PIECE_BYTES, 'x');
  let owed = 0;
  const pump = (): void => {
    while (owed > 0) {
      owed -= 1;
      if (line.write(piece)) continue;
      line.whenReady(pump);
      return;
    }
  };
  return (bytes) => {
    const idle = owed === 0;
    owed += bytes * BLOCK_PIECES;
    if (idle) pump();
  };
}

function confirmBlocks(line: Line): (bytes: number) => void {
  let received = 0;
  return (bytes) => {
    received += bytes;
    for (; received >= BLOCK_BYTES; received -= BLOCK_BYTES) line.write(CONFIRMATION);
  };
}
