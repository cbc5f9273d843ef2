/** The last line of the terminal, kept up to date below other output. */
import { width } from './terminal.js';

const CLEAR = '\r\u001b[K';

/** The terminal writes ^C behind the line; if that wrapped, the line couldn't be erased any more. */
const ROOM = 3;

export class StatusLine {
  readonly #text: () => string;
  readonly #timer: NodeJS.Timeout;
  #ended = false;

  /** @param text returns the current text; called at each interval */
  constructor(text: () => string, every = 1_000) {
    this.#text = text;
    this.#timer = setInterval(() => {
      this.#draw();
    }, every).unref();
    this.#draw();
  }

  /** Prints lines above it. */
  async above(print: () => void | Promise<void>): Promise<void> {
    process.stderr.write(CLEAR);
    await print();
    this.#draw();
  }

  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    process.stderr.write(CLEAR);
  }

  #draw(): void {
    if (this.#ended) return;
    process.stderr.write(`${CLEAR}${this.#text().slice(0, width() - ROOM)}`);
  }
}
