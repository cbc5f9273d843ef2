/** What all credentials have in common that follow a certificate's files and renew it: until they are closed, or their signal fires. */
import { offAbort, onAbort } from '@knsock/core/options';
import type { Credentials, CredentialSource, CredentialsWarning, WatchedCredentials } from '@knsock/core';

export abstract class RenewingCredentials implements CredentialSource, AsyncDisposable {
  protected readonly watched: WatchedCredentials;
  /** Of the last attempt; undefined if it succeeded. */
  protected lastError: Error | undefined;
  readonly #closing = new AbortController();
  readonly #signal: AbortSignal | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  readonly #close = (): void => void this.close();

  constructor(watched: WatchedCredentials, signal: AbortSignal | undefined) {
    this.watched = watched;
    this.#signal = signal;
    let fingerprint = watched.current.certificate?.fingerprint256;
    watched.onChange(({ certificate }) => {
      // It may be the trusted CAs that have changed.
      if (certificate?.fingerprint256 === fingerprint) return;
      fingerprint = certificate?.fingerprint256;
      // Renewed by this process, or by another one.
      this.lastError = undefined;
    });
    // It may have fired while the files were loaded.
    if (signal?.aborted === true) void this.close();
    else onAbort(signal, this.#close);
  }

  get current(): Credentials {
    return this.watched.current;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    return this.watched.onChange(listener);
  }

  onWarnings(listener: (warnings: readonly CredentialsWarning[]) => void | Promise<void>): () => void {
    return this.watched.onWarnings(listener);
  }

  /** Ends the renewing; the last credentials stay. */
  async close(): Promise<void> {
    offAbort(this.#signal, this.#close);
    this.#closing.abort();
    this.watched.close();
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Makes an attempt to renew, whose failure is the last error until another one succeeds. */
  protected async attempt(renewal: () => Promise<unknown>): Promise<void> {
    try {
      await renewal();
      this.lastError = undefined;
    } catch (error) {
      if (!this.closing.aborted) this.lastError = error as Error;
      throw error;
    }
  }

  /** Fires when they are closed. */
  protected get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** `close` waits for this work in the background, which ends by `closing` and never rejects. */
  protected keepRunning(work: Promise<unknown>): void {
    this.#ended = work;
  }
}
