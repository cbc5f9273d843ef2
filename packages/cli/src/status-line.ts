/** The last line of the terminal, kept up to date under what else is told. */
import { width } from './terminal.js';

const CLEAR = '\r\u001b[K';

export class StatusLine {
  readonly #text: () => string;
  readonly #timer: NodeJS.Timeout;

  /** @param text what it says now; asked every so many milliseconds */
  constructor(text: () => string, every = 1_000) {
    this.#text = text;
    this.#timer = setInterval(() => {
      this.#draw();
    }, every).unref();
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
    process.stderr.write(`${CLEAR}${this.#text().slice(0, width() - 1)}`);
  }
}
