/** Output: data to standard output, messages to standard error. */
import { once } from 'node:events';
import { printableJson } from '@knsock/core/errors';
import { paintsFor, shown, type Paints } from './paint.js';
import { wantsColor } from './terminal.js';
import type { GivenFiles } from './unreadable.js';

/** The global flags that control output. */
export interface Manner {
  /** No messages; errors are still printed. */
  readonly quiet: boolean;
  /** Data as JSON. */
  readonly json: boolean;
  /** Stack traces with errors. */
  readonly debug: boolean;
}

export class Output {
  readonly manner: Manner;
  /** The files that the command was called with. */
  given: GivenFiles = new Map();
  /** Colours for messages; none if standard error isn't a terminal or NO_COLOR is set. */
  readonly colors: Paints;

  constructor(manner: Manner) {
    this.manner = manner;
    this.colors = paintsFor(wantsColor(process.stderr.isTTY));
  }

  /** Writes data unchanged, and waits for a slow reader. */
  async data(bytes: string | Uint8Array): Promise<void> {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
  }

  /** Writes a value as one line of JSON. */
  async record(value: unknown): Promise<void> {
    await this.data(`${printableJson(value)}\n`);
  }

  /** Prints a result: as JSON if requested, else as text, of which `--quiet` leaves `data`. */
  async result(value: unknown, text: string, data = text): Promise<void> {
    const wanted = this.manner.quiet ? data : text;
    const lines = wanted.endsWith('\n') ? wanted : `${wanted}\n`;
    await (this.manner.json ? this.record(value) : this.data(shown(lines)));
  }

  /** Prints a message. */
  say(text: string): void {
    if (!this.manner.quiet) this.tell(text);
  }

  /** Prints a message even with --quiet. */
  warn(text: string): void {
    this.tell(`${this.colors.yellow('warning:')} ${text}`);
  }

  /** Writes lines to standard error; foreign control characters are escaped. */
  tell(text: string): void {
    process.stderr.write(`${shown(text)}\n`);
  }
}
