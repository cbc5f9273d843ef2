/** Interactive lines, with editing and history if the terminal supports them. */
import type { Interface } from 'node:readline';
import { canRedraw } from '../terminal.js';
import type { Foreground } from './foreground.js';

const CLEAR = '\r\u001b[K';

export class Prompt implements Foreground {
  #readline: Interface | null = null;
  /** Whether a line is being typed now. */
  #open = false;

  /** One message per line, until Ctrl-D. @param lineEnd appended to each, for streams */
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
      this.#open = false; // the shell starts a new line itself
      this.end();
      process.kill(process.pid, 'SIGINT'); // as without line editing
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
    // The next output, such as the shell's prompt, starts on a new line.
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
