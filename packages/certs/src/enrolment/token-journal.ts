/**
 * Tokens of a store and what became of them: `tokens.jsonl`, one JSON object a line, appended and flushed like the
 * store's index. A token is bound to a key before anything is issued for it, so that a crash in between can't make two.
 */
import { join } from 'node:path';
import { withProcessLock } from '../files/process-lock.js';
import type { CertificateKind } from '../issuing/extensions.js';
import { CertificateError } from '../errors.js';
import { appendLine, readLines } from '../store/journal.js';

/** What a token allows. */
export interface TokenGrant {
  readonly id: string;
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly kind: CertificateKind;
  readonly names: readonly string[];
  readonly commonName?: string | undefined;
  /** Life of the certificate. */
  readonly days: number;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

type TokenEvent =
  | ({ readonly event: 'created'; readonly at: number } & TokenGrant)
  | {
      readonly event: 'bound';
      readonly id: string;
      readonly at: number;
      readonly key: string;
      readonly from: string;
    }
  | { readonly event: 'enrolled'; readonly id: string; readonly at: number; readonly serial: string }
  | { readonly event: 'withdrawn'; readonly id: string; readonly at: number };

/** A token as the journal leaves it. */
export interface TokenState {
  readonly grant: TokenGrant;
  readonly bound: { readonly at: number; readonly key: string } | undefined;
  readonly serial: string | undefined;
  readonly withdrawn: boolean;
}

export class TokenJournal {
  readonly #file: string;
  readonly #lock: string;

  constructor(directory: string) {
    this.#file = join(directory, 'tokens.jsonl');
    this.#lock = join(directory, '.tokens.lock');
  }

  /** Runs `work` while nobody else, of any process, enrols or changes tokens. */
  exclusively<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withProcessLock(this.#lock, { timeout: 10_000, signal }, work);
  }

  /** @throws CertificateError `KNSOCK_CERTIFICATE_STORE` for a damaged line */
  async find(id: string): Promise<TokenState | undefined> {
    const events = (await readLines(this.#file)).map((line, index) => this.#parse(line, index + 1));
    const own = events.filter((event) => event.id === id);
    const created = own.find((event) => event.event === 'created');
    if (created === undefined) return undefined;
    const bound = own.find((event) => event.event === 'bound');
    const enrolled = own.find((event) => event.event === 'enrolled');
    const withdrawn = own.some(({ event }) => event === 'withdrawn');
    return { grant: created, bound, serial: enrolled?.serial, withdrawn };
  }

  append(event: TokenEvent): Promise<void> {
    return appendLine(this.#file, event);
  }

  #parse(line: string, number: number): TokenEvent {
    try {
      return JSON.parse(line) as TokenEvent;
    } catch (cause) {
      const message = `line ${number} of ${this.#file} is damaged`;
      throw new CertificateError('KNSOCK_CERTIFICATE_STORE', message, { cause, file: this.#file });
    }
  }
}
