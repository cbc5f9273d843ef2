/** Progress of a large input, on the last line of the terminal. */
import { fstat, stat, type Stats } from 'node:fs';
import { StatusLine } from '../status-line.js';
import type { Foreground } from './foreground.js';
import type { Source, SourceRequest } from './message-source.js';

/** Small inputs are sent before it could be read. */
const APPEARS_AFTER_MS = 500;
const EVERY_MS = 200;
const CELLS = 24;

export class Progress implements Foreground {
  #total: number | null = null;
  readonly #since = performance.now();
  readonly #timer: NodeJS.Timeout;
  #sent = 0;
  #line: StatusLine | null = null;

  /** @param total the bytes to be sent; null if unknown; never rejects */
  constructor(total: Promise<number | null>) {
    void total.then((bytes) => (this.#total = bytes));
    this.#timer = setTimeout(() => {
      this.#line = new StatusLine(() => this.#text(), EVERY_MS);
    }, APPEARS_AFTER_MS).unref();
  }

  /** Counts the bytes read from the source. */
  async *watch(source: Source): Source {
    for await (const messages of source) {
      yield messages;
      for (const { byteLength } of messages) this.#sent += byteLength;
    }
  }

  above(print: () => Promise<void>): Promise<void> {
    return this.#line === null ? print() : this.#line.above(print);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#line?.end();
    this.#line = null;
  }

  #text(): string {
    return progressText(this.#sent, this.#total, performance.now() - this.#since);
  }
}

/** The size, if known: files and redirected input have one, pipes don't. */
export async function totalOf({ words, files, times }: SourceRequest): Promise<number | null> {
  const inputs = words.filter((word) => word === '-').length + (words.length + files.length === 0 ? 1 : 0);
  try {
    // Not fstatSync: after one of a pipe, Node takes a module behind a symlink (pnpm's) for another than it is.
    const stats = await Promise.all([
      ...files.map((file) => statsOf((done) => stat(file, done))),
      ...Array.from({ length: inputs }, () => statsOf((done) => fstat(0, done))),
    ]);
    const typed = words
      .filter((word) => word !== '-')
      .reduce((sum, word) => sum + Buffer.byteLength(word), 0);
    return stats.every(isPlain) ? times * stats.reduce((sum, { size }) => sum + size, typed) : null;
  } catch {
    return null; // reading it will report the error
  }
}

type Done = (error: Error | null, stats: Stats) => void;

/** Without `node:fs/promises`, which a command that starts quickly doesn't load. */
function statsOf(ask: (done: Done) => void): Promise<Stats> {
  return new Promise((resolve, reject) => {
    ask((error, stats) => {
      if (error === null) resolve(stats);
      else reject(error);
    });
  });
}

export function progressText(sent: number, total: number | null, ms: number): string {
  const speed = (sent / Math.max(ms, 1)) * 1_000;
  const rate = `${size(speed)}/s`;
  if (total === null || total === 0) return `${size(sent)} sent, ${rate}`;
  const part = Math.min(sent / total, 1);
  const bar = '#'.repeat(Math.round(part * CELLS)).padEnd(CELLS, '.');
  const left = speed === 0 ? '' : `, ${Math.ceil(Math.max(total - sent, 0) / speed)} s left`;
  return `[${bar}] ${Math.floor(part * 100)}%, ${size(sent)} of ${size(total)}, ${rate}${left}`;
}

function isPlain(stats: Stats): boolean {
  return stats.isFile();
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${(bytes / 1_024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
