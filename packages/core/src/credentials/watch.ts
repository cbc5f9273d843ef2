/**
 * Credentials that follow their files. Files are looked at rather than watched: that works alike for atomic renames,
 * Kubernetes' symlink swaps and network folders. Certificate, key and CAs are taken only once they stand still and are
 * valid together, and lists file by file; until then the last good ones stay.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { noConnection, type FailureReporter } from '../errors/failure-reporter.js';
import type { CredentialsError } from '../errors/index.js';
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
import { FollowedSet, type Reading } from './followed-set.js';
import { checkFiles, type CredentialFiles } from './load.js';
import type { CredentialSource } from './source.js';
import { isSameWarnings, type CredentialsWarning } from './warning.js';
import { offAbort, onAbort } from '../waiting/on-abort.js';

/** How files are watched. */
export interface WatchOptions {
  /** Milliseconds between two checks; default 1,000. A change is loaded at the second check that finds it unchanged. */
  interval?: number | undefined;
  /** Ends the watching; the last good set stays. */
  signal?: AbortSignal | undefined;
  /**
   * Receives errors of listeners, and the reason for each refusal while `onProblem` has no listener; default: a process
   * warning.
   */
  onError?: ((error: Error) => void | Promise<void>) | undefined;
}

/** Credentials that follow their files. */
export interface WatchedCredentials extends CredentialSource, Disposable {
  /** Why the newest files, or a file of lists, were not loaded; null while the current set is the one in the files. */
  readonly problem: CredentialsError | null;
  /** Calls `listener` when files are refused, once for each reason. The function returned ends that. */
  onProblem(listener: (problem: CredentialsError) => void | Promise<void>): () => void;
  /**
   * Calls `listener` with `current.warnings` when they change, which they may while the set stays the same: a list that is set
   * back, say. The function returned ends that.
   */
  onWarnings(listener: (warnings: readonly CredentialsWarning[]) => void | Promise<void>): () => void;
  /** Checks now, without waiting for a second check, as on SIGHUP. @throws CredentialsError; what was refused stays as it was */
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
  const set = await FollowedSet.open(files, signal);
  signal?.throwIfAborted();
  return new Watcher(set, { interval, signal, reporter });
}

interface WatcherSettings {
  readonly interval: number;
  readonly signal: AbortSignal | undefined;
  readonly reporter: FailureReporter;
}

type Listeners<T> = Set<(value: T) => unknown>;

class Watcher implements WatchedCredentials {
  problem: CredentialsError | null = null;
  readonly #set: FollowedSet;
  readonly #listeners: Listeners<Credentials> = new Set();
  readonly #problemListeners: Listeners<CredentialsError> = new Set();
  readonly #warningListeners: Listeners<readonly CredentialsWarning[]> = new Set();
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #reporter: FailureReporter;
  /** Readings follow one another: an earlier one that ends later would set files back. */
  #last: Promise<unknown> = Promise.resolve();
  /** A reload that hasn't begun serves all who ask meanwhile. */
  #waiting: Promise<Credentials> | undefined;
  /** Problems that were reported. */
  #told: ReadonlySet<string> = new Set();

  constructor(set: FollowedSet, { interval, signal, reporter }: WatcherSettings) {
    this.#set = set;
    this.#signal = signal;
    this.#reporter = reporter;
    onAbort(signal, this.#aborted);
    void this.#follow(interval);
  }

  get current(): Credentials {
    return this.#set.current;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    return listen(this.#listeners, listener);
  }

  onProblem(listener: (problem: CredentialsError) => void | Promise<void>): () => void {
    return listen(this.#problemListeners, listener);
  }

  onWarnings(listener: (warnings: readonly CredentialsWarning[]) => void | Promise<void>): () => void {
    return listen(this.#warningListeners, listener);
  }

  reload(): Promise<Credentials> {
    return (this.#waiting ??= this.#inTurn(async () => {
      this.#waiting = undefined;
      const reading = await this.#set.readStanding();
      // What never stands still is left to the next looks.
      if (reading.stood) this.#settle(reading, true);
      if (this.problem !== null) throw this.problem;
      return this.current;
    }));
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

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #follow(interval: number): Promise<void> {
    const { signal } = this.#closing;
    let last = this.#set.settled;
    for (;;) {
      await wait(interval, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const now = await this.#set.print();
      // What still changes may be half-written.
      if (now === last && (now !== this.#set.settled || this.#set.isDue()))
        this.#reporter.run(() => this.#inTurn(() => this.#take(now)), noConnection, 'following files');
      last = now;
      await this.#last;
    }
  }

  async #take(now: string): Promise<void> {
    const reading = await this.#set.read();
    // Otherwise it changed meanwhile: the next look decides.
    if (reading.stood && reading.seen === now && !this.#closing.signal.aborted) this.#settle(reading, false);
  }

  /** @param isAwaited whether a caller learns of a refusal */
  #settle(reading: Reading, isAwaited: boolean): void {
    const before = this.current;
    const problems = this.#set.settle(reading);
    const { current } = this;
    this.problem = problems[0]?.error ?? null;
    if (current.version !== before.version) {
      this.#notify(this.#listeners, current, 'a listener of onChange');
      if (channels.rotation.hasSubscribers)
        channels.rotation.publish({ by: 'files', ok: true, version: current.version, error: null });
    }
    if (!isSameWarnings(current.warnings, before.warnings))
      this.#notify(this.#warningListeners, current.warnings, 'a listener of onWarnings');
    for (const { key, error } of problems) if (!this.#told.has(key)) this.#tell(error, isAwaited);
    this.#told = new Set(problems.map(({ key }) => key));
  }

  #tell(problem: CredentialsError, isAwaited: boolean): void {
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

function listen<T>(listeners: Listeners<T>, listener: (value: T) => unknown): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
