/** Where words go: data to standard output, talk to standard error. */
import { once } from 'node:events';
import picocolors from 'picocolors';
import { wantsColor } from './terminal.js';

type Colors = ReturnType<typeof picocolors.createColors>;

/** What decides how the command speaks; from its global flags. */
export interface Manner {
  /** No talk; errors are still told. */
  readonly quiet: boolean;
  /** Data as JSON. */
  readonly json: boolean;
  /** Stack traces with errors. */
  readonly debug: boolean;
}

export class Output {
  readonly manner: Manner;
  /** Colours for talk; plain where standard error isn't a terminal or NO_COLOR is set. */
  readonly colors: Colors;

  constructor(manner: Manner) {
    this.manner = manner;
    this.colors = picocolors.createColors(wantsColor(process.stderr.isTTY));
  }

  /** Writes data as it is, and waits where the reader is slow. */
  async data(bytes: string | Uint8Array): Promise<void> {
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
  }

  /** Writes a value as one line of JSON. */
  async record(value: unknown): Promise<void> {
    await this.data(`${JSON.stringify(value)}\n`);
  }

  /** Prints a result: as JSON where that was asked for, else the text. */
  async result(value: unknown, text: string): Promise<void> {
    await (this.manner.json ? this.record(value) : this.data(text.endsWith('\n') ? text : `${text}\n`));
  }

  /** Talks to the person. */
  say(text: string): void {
    if (!this.manner.quiet) process.stderr.write(`${text}\n`);
  }

  /** Says what must be heard, quiet or not. */
  warn(text: string): void {
    process.stderr.write(`${this.colors.yellow('warning:')} ${text}\n`);
  }
}
