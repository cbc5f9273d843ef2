import type { Credentials, CredentialSource } from '@knsock/core';

/** Credentials that a test replaces by hand. */
export class Changing implements CredentialSource {
  current: Credentials;
  readonly #listeners = new Set<(next: Credentials) => void>();

  constructor(current: Credentials) {
    this.current = current;
  }

  onChange(listener: (next: Credentials) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(next: Credentials): void {
    this.current = next;
    for (const listener of [...this.#listeners]) listener(next);
  }
}
