/** The answers to validations that are under way, for whatever serves them: nothing before, nothing after. */
import type { AlpnChallenge } from '@knsock/core';

export class PendingChallenges {
  /** By the name in the CA's handshake. */
  readonly #byName = new Map<string, AlpnChallenge>();
  /** By token; the program's own, where it serves http-01 itself. */
  readonly #tokens: Map<string, string>;

  constructor(tokens: Map<string, string> = new Map()) {
    this.#tokens = tokens;
  }

  /** @returns what ends it */
  addCertificate(serverName: string, challenge: AlpnChallenge): () => void {
    this.#byName.set(serverName, challenge);
    return () => {
      if (this.#byName.get(serverName) === challenge) this.#byName.delete(serverName);
    };
  }

  /** @returns what ends it */
  addToken(token: string, authorization: string): () => void {
    this.#tokens.set(token, authorization);
    return () => {
      this.#tokens.delete(token);
    };
  }

  certificateFor(serverName: string): AlpnChallenge | undefined {
    return this.#byName.get(serverName.toLowerCase());
  }

  authorizationFor(token: string): string | undefined {
    return this.#tokens.get(token);
  }
}
