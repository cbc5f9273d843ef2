/** Notices that nothing has come for a while. */
export class Silence {
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onSilence: () => void) {
    this.#onSilence = onSilence;
  }

  /** Begins to wait, anew where it waits already. */
  expect(ms: number): void {
    this.stop();
    this.#timer = setTimeout(this.#onSilence, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
