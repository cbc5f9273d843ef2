/**
 * The targets of a proxy, used in turn. One that can't be reached is set aside, probed in
 * the background, and used again once it answers.
 */
import { parseAddress, type Address } from '../address.js';
import { UsageError } from '../usage-error.js';
import { orderOf, TargetHealth } from './target-health.js';

export type Target = Address & { readonly text: string };

/** Events of the targets. */
export interface TargetEvents {
  setAside(target: Target, error: unknown): void;
  returned(target: Target): void;
}

/** A target's state for monitoring. */
export interface TargetState {
  readonly target: string;
  readonly up: boolean;
  readonly connections: number;
  readonly reached: number;
  readonly failures: number;
}

interface Entry {
  readonly target: Target;
  readonly health: TargetHealth;
  connections: number;
  reached: number;
  failures: number;
}

/** A connection to a target, to be released when it ends. */
export interface Reached<Far> {
  readonly far: Far;
  readonly target: Target;
  readonly release: () => void;
}

export class Targets<Far extends { destroy(): unknown }> {
  readonly #entries: readonly Entry[];
  readonly #connect: (target: Target) => Promise<Far>;
  readonly #events: TargetEvents;
  #next = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(targets: readonly Target[], connect: (target: Target) => Promise<Far>, events: TargetEvents) {
    this.#entries = targets.map((target) => ({
      target,
      health: new TargetHealth(),
      connections: 0,
      reached: 0,
      failures: 0,
    }));
    this.#connect = connect;
    this.#events = events;
  }

  states(): TargetState[] {
    return this.#entries.map(({ target, health, connections, reached, failures }) => ({
      target: target.text,
      up: health.isUp,
      connections,
      reached,
      failures,
    }));
  }

  /** Connects to the first target that can be reached, beginning after the last one. @throws the last failure */
  async reach(connect = this.#connect): Promise<Reached<Far>> {
    const first = this.#next;
    this.#next = (first + 1) % this.#entries.length;
    const healths = this.#entries.map(({ health }) => health);
    let failure: unknown;
    for (const index of orderOf(healths, first)) {
      const entry = this.#entries[index] as Entry;
      try {
        const far = await connect(entry.target);
        return this.#lend(entry, far);
      } catch (error) {
        failure = error;
        this.#failed(entry, error);
      }
    }
    throw failure;
  }

  /** Stops probing. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #lend(entry: Entry, far: Far): Reached<Far> {
    entry.connections += 1;
    entry.reached += 1;
    this.#answered(entry);
    return { far, target: entry.target, release: () => (entry.connections -= 1) };
  }

  #answered(entry: Entry): void {
    if (entry.health.reached()) this.#events.returned(entry.target);
  }

  #failed(entry: Entry, error: unknown): void {
    entry.failures += 1;
    if (entry.health.failed(performance.now())) this.#events.setAside(entry.target, error);
    this.#planAsking();
  }

  #planAsking(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const pause = Math.min(...this.#entries.map(({ health }) => health.pause(now)));
    if (pause === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => void this.#ask(), pause).unref();
  }

  /** Connects to those that are due, only to check whether they answer. */
  async #ask(): Promise<void> {
    const now = performance.now();
    const due = this.#entries.filter(({ health }) => health.pause(now) <= 0);
    await Promise.all(
      due.map(async (entry) => {
        try {
          (await this.#connect(entry.target)).destroy();
          this.#answered(entry);
        } catch (error) {
          this.#failed(entry, error);
        }
      }),
    );
    if (this.#timer !== undefined) this.#planAsking();
  }
}

/** @throws UsageError for an invalid address, or none */
export function parseTargets(texts: readonly string[] = []): Target[] {
  if (texts.length === 0)
    throw new UsageError('a proxy needs a target', 'Add --target host:port (repeatable).');
  return texts.map((text) => ({ ...parseAddress(text), text }));
}
