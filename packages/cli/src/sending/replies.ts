/** Prints replies: raw bytes, a line each, or JSON. Replies that arrive together are written together. */
import { isUtf8 } from 'node:buffer';
import { printableJson } from '@knsock/core/errors';
import type { Output } from '../output.js';
import { nothing, type Foreground } from './foreground.js';

export interface RepliesOptions {
  /** Whether each reply is followed by a line feed. */
  readonly lineEach: boolean;
  readonly foreground?: Foreground;
  /** Whether each is written separately, before the prompt for the next message. */
  readonly atOnce?: boolean;
}

const LF = Buffer.from('\n');
/** This many bytes are written without waiting for more. */
const ENOUGH = 65_536;

export class Replies {
  readonly #output: Pick<Output, 'manner' | 'data'>;
  readonly #options: RepliesOptions;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #lastByte: number | undefined;
  /** How many were printed. */
  count = 0;

  constructor(output: Pick<Output, 'manner' | 'data'>, options: RepliesOptions) {
    this.#output = output;
    this.#options = options;
  }

  /** Resolves when there is room for more; undefined if there is room already. */
  print(reply: unknown): Promise<void> | undefined {
    this.count += 1;
    this.#hold(this.#bytesOf(reply));
    if (this.#options.lineEach && !this.#output.manner.json) this.#hold(LF);
    if (this.#options.atOnce === true || this.#heldBytes >= ENOUGH) return this.flush();
    this.#flushSoon();
    return undefined;
  }

  /** Writes buffered replies. Once a write has failed, every later one does. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  /** Ends the output; on a terminal the prompt gets a line of its own. */
  async end(): Promise<void> {
    await this.flush();
    if (!process.stdout.isTTY || this.#lastByte === undefined || this.#lastByte === 0x0a) return;
    await this.#output.data(LF);
  }

  #flushSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush().catch(() => undefined); // the next flush throws it
    });
  }

  async #write(): Promise<void> {
    if (this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    await (this.#options.foreground ?? nothing).above(() => this.#output.data(bytes));
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.#lastByte = bytes.at(-1) ?? this.#lastByte;
  }

  #bytesOf(reply: unknown): Buffer {
    if (this.#output.manner.json) return Buffer.from(`${printableJson(asRecord(reply))}\n`);
    return Buffer.isBuffer(reply) ? reply : Buffer.from(JSON.stringify(reply));
  }
}

function asRecord(reply: unknown): object {
  if (!Buffer.isBuffer(reply)) return { reply };
  const encoding = isUtf8(reply) ? 'utf8' : 'base64';
  return { reply: reply.toString(encoding), encoding, bytes: reply.length };
}
