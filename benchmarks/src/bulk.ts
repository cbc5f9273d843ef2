/** How much is sent in one go where throughput is measured: blocks of 16 MiB, in messages of 64 KiB. */
export const PIECE_BYTES = 65_536;
export const BLOCK_PIECES = 256;
export const BLOCK_BYTES = PIECE_BYTES * BLOCK_PIECES;
/** Blocks under way at once, so that neither side waits for the other's word. */
export const BLOCKS_AHEAD = 2;
