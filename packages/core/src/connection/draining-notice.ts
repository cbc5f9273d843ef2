/** Tells once that either side has announced its end. */
export class DrainingNotice {
  #listeners: (() => void)[] | null = null;
  /** Whether it was told. */
  told = false;

  listen(listener: () => void): void {
    if (this.told) process.nextTick(listener);
    else (this.#listeners ??= []).push(listener);
  }

  tell(): void {
    if (this.told) return;
    this.told = true;
    const listeners = this.#listeners;
    this.#listeners = null;
    for (const listener of listeners ?? []) listener();
  }
}
