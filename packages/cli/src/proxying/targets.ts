/** Where a proxy passes connections on to: each target in turn, the next where one can't be reached. */
import { parseAddress, type Address } from '../address.js';
import { UsageError } from '../usage-error.js';

export type Target = Address & { readonly text: string };

export class Targets {
  readonly #targets: readonly Target[];
  #next = 0;

  /** @throws UsageError for what is no address, or none at all */
  constructor(texts: readonly string[]) {
    this.#targets = texts.map((text) => ({ ...parseAddress(text), text }));
    if (texts.length === 0)
      throw new UsageError('a proxy needs a target', 'Add --target host:port (repeatable).');
  }

  get all(): readonly Target[] {
    return this.#targets;
  }

  /** Connects to the first target that can be reached, beginning after the last one. @throws the last failure */
  async reach<Reached>(connect: (target: Target) => Promise<Reached>): Promise<Reached> {
    const first = this.#next;
    this.#next = (this.#next + 1) % this.#targets.length;
    let failure: unknown;
    for (let tried = 0; tried < this.#targets.length; tried += 1) {
      const target = this.#targets[(first + tried) % this.#targets.length] as Target;
      try {
        return await connect(target);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}
