/** The first bytes of a socket, read before another reader takes it over; the rest is put back. */
import type { Socket } from 'node:net';
import { UsageError } from '../usage-error.js';

/** Parses the bytes so far; null while more are needed. `length` is how many of them are consumed. */
export type FirstBytes<Found> = { readonly found: Found; readonly length: number } | null;

/** No preamble of a connection is longer. */
const MOST_BYTES = 16_384;

/**
 * Reads until `parse` has a result, and puts back the rest; the socket is then paused, without our listeners.
 * @throws what `parse` throws, the signal's reason, or UsageError `KNSOCK_CONNECTION_CLOSED`
 */
export function readFirst<Found>(
  socket: Socket,
  signal: AbortSignal,
  parse: (bytes: Buffer) => FirstBytes<Found>,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      socket.off('data', read).off('end', ended).off('close', ended);
      signal.removeEventListener('abort', aborted);
      // Without the pause, the bytes put back would be emitted before anything listens.
      socket.pause();
      act();
    };
    const fail = (error: Error): void => {
      settle(() => {
        reject(error);
      });
    };
    const ended = (): void => {
      fail(gone());
    };
    const aborted = (): void => {
      fail(signal.reason as Error);
    };
    const read = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      try {
        const first = parse(bytes);
        if (first === null && bytes.length > MOST_BYTES) throw tooLong(bytes.length);
        if (first === null) return;
        settle(() => {
          if (bytes.length > first.length) socket.unshift(bytes.subarray(first.length));
          resolve(first.found);
        });
      } catch (error) {
        fail(error as Error);
      }
    };
    if (signal.aborted || socket.destroyed) {
      fail(signal.aborted ? (signal.reason as Error) : gone());
      return;
    }
    signal.addEventListener('abort', aborted, { once: true });
    socket.on('data', read).on('end', ended).on('close', ended).resume();
  });
}

function gone(): UsageError {
  return new UsageError('the peer ended before the connection began', '', 'KNSOCK_CONNECTION_CLOSED');
}

function tooLong(length: number): UsageError {
  const message = `${length.toLocaleString('en')} bytes came before the connection began, and make no sense`;
  return new UsageError(message, 'Does the other side speak another protocol?', 'KNSOCK_MALFORMED_FRAME');
}
