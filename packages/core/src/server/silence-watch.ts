/**
 * Handshakes that stopped in the middle: peers that sent a complete ClientHello, were answered, and send nothing more. Checked
 * only while few places are left.
 */
import type { PendingConnection } from './pending-connection.js';

/** Distant peers answer within this time, in milliseconds. */
const PATIENCE = 1_000;

export class SilenceWatch {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Checks which of these stay silent, unless a check is already running. */
  look(pendingConnections: Iterable<PendingConnection>): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const heard = Array.from(pendingConnections, (pending) => [pending, pending.socket.bytesRead] as const);
    const conclude = (): void => {
      this.#timer = undefined;
      for (const [pending, bytes] of heard) pending.silentAt = bytes;
    };
    // What arrived while the event loop was busy is read before an immediate: a peer isn't silent because this process was busy.
    this.#timer = setTimeout(() => setImmediate(conclude), PATIENCE).unref();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
