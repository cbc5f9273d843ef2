/** Calls its listeners once; listeners added later are called at once. */
export class OnceEvent {
  #listeners: (() => void)[] | null = null;
  /** Whether it was published. */
  isPublished = false;

  /** @param listener must not throw: the others would not be called */
  listen(listener: () => void): void {
    if (this.isPublished) process.nextTick(listener);
    else (this.#listeners ??= []).push(listener);
  }

  publish(): void {
    if (this.isPublished) return;
    this.isPublished = true;
    const listeners = this.#listeners;
    this.#listeners = null;
    for (const listener of listeners ?? []) listener();
  }
}
