/**
 * Credentials that follow their files. Files are looked at rather than watched: that works alike for atomic renames,
 * Kubernetes' symlink swaps and network folders. A set is taken only once it stands still and is valid as a whole;
 * until then the last good one stays.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { asError } from '../errors/as-error.js';
import { noConnection, type FailureReporter } from '../errors/failure-reporter.js';
import { CredentialsError } from '../errors/index.js';
import { channels } from '../observe/channels.js';
import {
  abortSignal,
  failures,
  milliseconds,
  readAllOptions,
  withDefault,
  type OptionReaders,
} from '../options/index.js';
import type { Credentials } from './credentials.js';
import { checkFiles, loadAfter, pathsOf, type CredentialFiles } from './load.js';
import type { CredentialSource } from './source.js';
import { refuseWarnings } from './warning.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

/** How files are watched. */
export interface WatchOptions {
  /** Milliseconds between two looks; default 1,000. A change is taken at the second look that finds it unchanged. */
  interval?: number | undefined;
  /** Ends the watching; the last good set stays. */
  signal?: AbortSignal | undefined;
  /**
   * Receives errors of listeners of `onChange` and `onProblem`, and the reason for each refused set while `onProblem`
   * has no listener; default: a process warning.
   */
  onError?: ((error: Error) => void | Promise<void>) | undefined;
}

/** Credentials that follow their files. */
export interface WatchedCredentials extends CredentialSource, Disposable {
  /** Why the newest files were not taken; null while the current set is what the files hold. */
  readonly problem: CredentialsError | null;
  /** Calls `listener` when a new set is refused. The function returned ends that. */
  onProblem(listener: (problem: CredentialsError) => void | Promise<void>): () => void;
  /** Looks now, without waiting for a second look, as on SIGHUP. @throws CredentialsError; the last good set stays */
  reload(): Promise<Credentials>;
  /** Ends the watching. */
  close(): void;
}

/** How each of them is read, and its default. */
export const watchOptions = {
  interval: withDefault(milliseconds, 1_000),
  signal: abortSignal,
  onError: failures,
} as const satisfies OptionReaders<WatchOptions>;

/**
 * Loads credentials and follows their files.
 * @throws CredentialsError where the first set can't be used, wrong dates included
 */
export async function watchCredentials(
  files: CredentialFiles,
  options: WatchOptions = {},
): Promise<WatchedCredentials> {
  checkFiles(files);
  const { interval, signal, onError: reporter } = readAllOptions(options, watchOptions);
  signal?.throwIfAborted();
  const { seen, found } = await readStanding(files, []);
  signal?.throwIfAborted();
  if (found instanceof Error) throw found;
  return new Watcher(files, seen, found, { interval, signal, reporter });
}

interface WatcherSettings {
  readonly interval: number;
  readonly signal: AbortSignal | undefined;
  readonly reporter: FailureReporter;
}

class Watcher implements WatchedCredentials {
  current: Credentials;
  problem: CredentialsError | null = null;
  readonly #files: CredentialFiles;
  readonly #listeners = new Set<(next: Credentials) => void>();
  readonly #problemListeners = new Set<(problem: CredentialsError) => unknown>();
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #reporter: FailureReporter;
  /** What the files looked like when they were last taken or refused. */
  #settled: string;

  constructor(
    files: CredentialFiles,
    settled: string,
    current: Credentials,
    { interval, signal, reporter }: WatcherSettings,
  ) {
    this.#files = files;
    this.#settled = settled;
    this.current = current;
    this.#signal = signal;
    this.#reporter = reporter;
    onAbort(signal, this.#aborted);
    void this.#follow(interval);
  }

  onChange(listener: (next: Credentials) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onProblem(listener: (problem: CredentialsError) => void | Promise<void>): () => void {
    this.#problemListeners.add(listener);
    return () => this.#problemListeners.delete(listener);
  }

  async reload(): Promise<Credentials> {
    const reading = await readStanding(this.#files, this.current.crls);
    // What never stands still is left to the next looks.
    if (reading.stood) this.#settle(reading, true);
    if (this.problem !== null) throw this.problem;
    return this.current;
  }

  close(): void {
    this.#closing.abort();
    offAbort(this.#signal, this.#aborted);
  }

  readonly #aborted = (): void => {
    this.close();
  };

  [Symbol.dispose](): void {
    this.close();
  }

  async #follow(interval: number): Promise<void> {
    const { signal } = this.#closing;
    let last = this.#settled;
    try {
      for (;;) {
        await wait(interval, undefined, { signal, ref: false });
        const now = await print(this.#files);
        // What still changes may be half-written.
        if (now === last && (now !== this.#settled || this.#mayRecover)) await this.#take(now);
        last = now;
      }
    } catch {
      // Closed.
    }
  }

  /** A set that was refused is tried again once it changes, or where time or the system alone may fix it. */
  get #mayRecover(): boolean {
    return this.problem?.reason === 'not-yet-valid' || this.problem?.reason === 'unreadable';
  }

  async #take(now: string): Promise<void> {
    const reading = await read(this.#files, this.current.crls);
    // Otherwise it changed meanwhile: the next look decides.
    if (reading.stood && reading.seen === now) this.#settle(reading, false);
  }

  /** @param isAwaited whether a caller learns of a refusal */
  #settle({ seen, found: next }: Reading, isAwaited: boolean): void {
    if (next instanceof Error) {
      this.#refuse(seen, asCredentialsError(next), isAwaited);
      return;
    }
    this.#settled = seen;
    this.problem = null;
    if (next.version === this.current.version) return;
    this.current = next;
    this.#notify(this.#listeners, next, 'a listener of onChange');
    if (channels.rotation.hasSubscribers)
      channels.rotation.publish({ by: 'files', ok: true, version: next.version, error: null });
  }

  #refuse(seen: string, problem: CredentialsError, isAwaited: boolean): void {
    const known = this.#settled === seen && this.problem?.message === problem.message;
    this.#settled = seen;
    this.problem = problem;
    if (known) return;
    if (this.#problemListeners.size === 0 && !isAwaited)
      this.#reporter.report(problem, noConnection, 'taking new credentials');
    this.#notify(this.#problemListeners, problem, 'a listener of onProblem');
    if (channels.rotation.hasSubscribers)
      channels.rotation.publish({ by: 'files', ok: false, version: this.current.version, error: problem });
  }

  /** One listener's failure doesn't stop the others. */
  #notify<T>(listeners: ReadonlySet<(value: T) => unknown>, value: T, what: string): void {
    for (const listener of [...listeners]) this.#reporter.run(() => listener(value), noConnection, what);
  }
}

function asCredentialsError(error: Error): CredentialsError {
  if (error instanceof CredentialsError) return error;
  return new CredentialsError('garbage', String(error), { cause: error });
}

/** A set as it was read. */
interface Reading {
  /** What the files looked like before. */
  readonly seen: string;
  /** Whether they looked the same afterwards; if not, it may be of two sets, each of which is good. */
  readonly stood: boolean;
  /** The set, or why it can't be used. */
  readonly found: Credentials | Error;
}

/** Sets are swapped now and then, and not all the time. */
const MOST_READINGS = 10;

/** Reads the set until the files stand still meanwhile. */
async function readStanding(files: CredentialFiles, listsInUse: Credentials['crls']): Promise<Reading> {
  let reading = await read(files, listsInUse);
  for (let count = 1; !reading.stood && count < MOST_READINGS; count++)
    reading = await read(files, listsInUse);
  return reading;
}

async function read(files: CredentialFiles, listsInUse: Credentials['crls']): Promise<Reading> {
  const seen = await print(files);
  const found = await loadUsable(files, listsInUse).catch(asError);
  return { seen, found, stood: (await print(files)) === seen };
}

async function loadUsable(files: CredentialFiles, listsInUse: Credentials['crls']): Promise<Credentials> {
  const credentials = await loadAfter(files, listsInUse);
  refuseWarnings(credentials.warnings);
  return credentials;
}

/** What tells one state of the files from another, symlinks followed. */
async function print(files: CredentialFiles): Promise<string> {
  const prints = pathsOf(files).map(async (path) => {
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path);
      return `${ino}/${size}/${mtimeMs}/${ctimeMs}`;
    } catch (error) {
      return String((error as { code?: string }).code);
    }
  });
  return (await Promise.all(prints)).join(' ');
}
