/**
 * Handshakes that stopped in the middle: peers that sent a whole ClientHello, were answered, and say nothing more. Looked
 * for only while places are getting scarce.
 */
import type { PendingConnection } from './pending-connection.js';

/** Peers far away answer within this; in milliseconds. */
const PATIENCE = 1_000;

export class SilenceWatch {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Finds out which of these say nothing for a while, unless it is about to already. */
  look(pendingConnections: Iterable<PendingConnection>): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const heard = Array.from(pendingConnections, (pending) => [pending, pending.socket.bytesRead] as const);
    const conclude = (): void => {
      this.#timer = undefined;
      for (const [pending, bytes] of heard) pending.silentAt = bytes;
    };
    // What came while the event loop was busy is read before an immediate: a peer isn't silent because this process was busy.
    this.#timer = setTimeout(() => setImmediate(conclude), PATIENCE).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
