/** Lines that a person types, with editing and history where the terminal has it. */
import type { Interface } from 'node:readline';
import { canRedraw } from '../terminal.js';
import type { Foreground } from './foreground.js';

const CLEAR = '\r\u001b[K';

export class Prompt implements Foreground {
  #readline: Interface | null = null;
  /** Whether a line is being typed now. */
  #open = false;

  /** A message a line, until Ctrl-D. @param lineEnd kept with each, for streams */
  async *lines(lineEnd = ''): AsyncGenerator<Buffer[]> {
    const { createInterface } = await import('node:readline');
    const readline = createInterface({
      input: process.stdin,
      output: process.stderr,
      terminal: canRedraw(),
      prompt: '> ',
    });
    this.#readline = readline;
    readline.on('SIGINT', () => {
      this.#open = false; // the shell begins a new line itself
      this.end();
      process.kill(process.pid, 'SIGINT'); // as it is where lines aren't edited
    });
    try {
      this.#ask();
      for await (const line of readline) {
        this.#open = false;
        yield [Buffer.from(line + lineEnd)];
        this.#ask();
      }
    } finally {
      this.end();
    }
  }

  async above(print: () => Promise<void>): Promise<void> {
    if (!this.#open || !canRedraw()) return print();
    process.stderr.write(CLEAR);
    await print();
    this.#readline?.prompt(true);
  }

  end(): void {
    // What comes next, the shell's own prompt at last, begins a line.
    if (this.#open && canRedraw()) process.stderr.write('\n');
    this.#open = false;
    this.#readline?.close();
    this.#readline = null;
  }

  #ask(): void {
    this.#open = true;
    this.#readline?.prompt();
  }
}
