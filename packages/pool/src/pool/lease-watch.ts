import { noConnection } from '@knsock/core/options';
import { channels } from './channels.js';
import type { PoolConfig } from './config.js';
import { LeakDetector, type Leak } from './leak-detector.js';
import { slotOf, type PoolLease } from './lease.js';
import type { Slot } from './slots.js';

/** Watches the leases of a pool; leaks go to its channel, and to `onLeak` or else a process warning. */
export class LeaseWatch<T> {
  /** Number of leaks found. */
  found = 0;
  readonly #config: PoolConfig;
  readonly #detector: LeakDetector<Slot<T>>;

  /** @param reclaim takes back the resource of a garbage-collected lease */
  constructor(config: PoolConfig, reclaim: (slot: Slot<T>) => void) {
    this.#config = config;
    this.#detector = new LeakDetector(config.clock, config.leakThreshold, (leak, slot) => {
      this.found += 1;
      if (leak.kind === 'dropped') reclaim(slot);
      this.#tell(leak);
    });
  }

  /** @param stack where it was acquired */
  async coming(lending: Promise<PoolLease<T>>, stack: string): Promise<PoolLease<T>> {
    const lease = await lending;
    this.begin(lease, stack);
    return lease;
  }

  begin(lease: PoolLease<T>, stack: string): void {
    const slot = slotOf(lease);
    if (slot) this.#detector.watch(slot, lease, stack);
  }

  /** It was released. */
  end(slot: Slot<T>): void {
    this.#detector.forget(slot);
  }

  stop(): void {
    this.#detector.stop();
  }

  #tell(leak: Leak): void {
    const { name, onLeak, failures } = this.#config;
    if (channels.leak.hasSubscribers) channels.leak.publish({ pool: name, leak });
    if (onLeak) {
      // It is called by a timer or the garbage collector: an uncaught error or rejection would end the process.
      failures.run(() => onLeak(leak), noConnection, `onLeak of ${name}`);
      return;
    }
    const message = `a lease of ${name} was ${leak.kind} for ${Math.round(leak.held)} ms; it was acquired here:\n${leak.stack}`;
    process.emitWarning(message, { type: 'LeakWarning', code: 'KNSOCK_POOL_LEAK' });
  }
}
