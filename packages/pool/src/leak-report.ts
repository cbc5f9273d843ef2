import { channels } from './channels.js';
import type { Leak } from './leak-detector.js';

/** Makes a leak known: to whoever listens, or else as a warning of the process. */
export function tell(pool: string, leak: Leak, onLeak: ((leak: Leak) => void) | undefined): void {
  if (channels.leak.hasSubscribers) channels.leak.publish({ pool, leak });
  if (onLeak) {
    onLeak(leak);
    return;
  }
  const message = `a lease of ${pool} was ${leak.kind} for ${Math.round(leak.held)} ms; it was acquired here:\n${leak.stack}`;
  process.emitWarning(message, { type: 'LeakWarning', code: 'KNSOCK_POOL_LEAK' });
}
