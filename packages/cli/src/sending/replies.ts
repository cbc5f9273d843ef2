/** Prints replies: bytes as they came, a line each, or JSON. */
import { isUtf8 } from 'node:buffer';
import type { Output } from '../output.js';
import { nothing, type Foreground } from './foreground.js';

export class Replies {
  readonly #output: Output;
  readonly #lineEach: boolean;
  readonly #foreground: Foreground;
  #lastByte: number | undefined;
  /** How many were printed. */
  count = 0;

  /** @param lineEach whether each reply is followed by a line feed */
  constructor(output: Output, lineEach: boolean, foreground: Foreground = nothing) {
    this.#output = output;
    this.#lineEach = lineEach;
    this.#foreground = foreground;
  }

  print(reply: unknown): Promise<void> {
    this.count += 1;
    return this.#foreground.above(() => this.#show(reply));
  }

  /** On a terminal the prompt gets a line of its own. */
  async end(): Promise<void> {
    if (!process.stdout.isTTY || this.#lastByte === undefined || this.#lastByte === 0x0a) return;
    await this.#output.data('\n');
  }

  async #show(reply: unknown): Promise<void> {
    if (this.#output.manner.json) {
      await this.#output.record(asRecord(reply));
      return;
    }
    const bytes = Buffer.isBuffer(reply) ? reply : Buffer.from(JSON.stringify(reply));
    await this.#output.data(bytes);
    if (this.#lineEach) await this.#output.data('\n');
    this.#lastByte = this.#lineEach ? 0x0a : (bytes.at(-1) ?? this.#lastByte);
  }
}

function asRecord(reply: unknown): object {
  if (!Buffer.isBuffer(reply)) return { reply };
  const encoding = isUtf8(reply) ? 'utf8' : 'base64';
  return { reply: reply.toString(encoding), encoding, bytes: reply.length };
}
