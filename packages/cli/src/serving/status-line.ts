/** The last line of the terminal, kept up to date under the log. */
const CLEAR = '\r\u001b[K';
const EVERY_MS = 1_000;

export class StatusLine {
  readonly #text: () => string;
  readonly #timer: NodeJS.Timeout;

  /** @param text what it says now; asked once a second */
  constructor(text: () => string) {
    this.#text = text;
    this.#timer = setInterval(() => {
      this.#draw();
    }, EVERY_MS).unref();
    this.#draw();
  }

  /** Prints lines above it. */
  above(print: () => void): void {
    process.stderr.write(CLEAR);
    print();
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    process.stderr.write(CLEAR);
  }

  #draw(): void {
    process.stderr.write(`${CLEAR}${this.#text().slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }
}
