/** Files that are read again and again. What was a pipe or a device at first is read that once; what becomes one isn't opened. */
import { stat } from 'node:fs/promises';
import { asError } from '../errors/as-error.js';
import { kindOf } from '../waiting/read-whole.js';
import { readFileOf } from './load.js';
import type { CredentialsWarning } from './warning.js';

/** What was read of each path, or why it can't be. */
export type Contents = ReadonlyMap<string, Buffer | Error>;

export class FollowedFiles {
  readonly #followed: readonly string[];
  readonly #once: Contents;
  /** That some of them aren't followed. */
  readonly warnings: readonly CredentialsWarning[];

  private constructor(followed: readonly string[], once: Contents, warnings: readonly CredentialsWarning[]) {
    this.#followed = followed;
    this.#once = once;
    this.warnings = warnings;
  }

  /** @throws CredentialsError for a pipe or a device that can't be read */
  static async open(paths: readonly string[], signal: AbortSignal | undefined): Promise<FollowedFiles> {
    const followed: string[] = [];
    const once = new Map<string, Buffer>();
    const warnings: CredentialsWarning[] = [];
    for (const file of paths) {
      const kind = await stat(file).then(kindOf, () => undefined);
      if (kind !== 'a pipe' && kind !== 'a device') {
        followed.push(file);
        continue;
      }
      once.set(file, await readFileOf(file, { signal }));
      const message = `${file} is ${kind}: it was read once, and isn't followed`;
      warnings.push({ reason: 'not-followed', message, file, fatal: false });
    }
    return new FollowedFiles(followed, once, warnings);
  }

  /** One after the other: a network folder that doesn't answer takes one thread of the pool, and leaves the others. */
  async read(): Promise<Contents> {
    const contents = new Map(this.#once);
    for (const file of this.#followed)
      contents.set(file, await readFileOf(file, { onlyRegular: true }).catch(asError));
    return contents;
  }

  /** What tells one state of the files from another, links followed. */
  async print(): Promise<string> {
    const prints: string[] = [];
    for (const file of this.#followed) prints.push(await printOf(file));
    return prints.join(' ');
  }
}

async function printOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = await stat(file);
    return `${dev}/${ino}/${size}/${mtimeMs}/${ctimeMs}`;
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}
