/** The source of the messages of `knsock send`. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { standardInput } from '../standard-input.js';
import { unreadable } from '../unreadable.js';
import { cutBytes, type Cut } from './cut.js';

/** Messages, in batches of those available together. */
export type Source = AsyncIterable<readonly Uint8Array[]>;

/** What to send. */
export interface SourceRequest {
  /** Each is a message; `-` stands for standard input. */
  readonly words: readonly string[];
  readonly files: readonly string[];
  /** Number of repetitions in total. */
  readonly times: number;
}

/** Everything to send, arguments before files; standard input by default. */
export async function* messages({ words, files, times }: SourceRequest, cut: Cut): Source {
  for (let left = times; left > 0; left -= 1) {
    for (const word of words) {
      if (word === '-') yield* cutBytes(standardInput(), cut);
      else yield [Buffer.from(word)];
    }
    for (const file of files) yield* cutBytes(readable(file), cut);
    if (words.length + files.length === 0) yield* cutBytes(standardInput(), cut);
  }
}

/** The bytes of a file; a failure to read it is an error of its own. */
async function* readable(file: string): AsyncGenerator<Buffer> {
  const stream: Readable = createReadStream(file);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(file, error);
  } finally {
    stream.destroy();
  }
}
