/**
 * Tokens of a store and their uses: `tokens.jsonl`, one JSON object a line, appended and flushed like the
 * store's index. A token is bound to a key before anything is issued for it, so that a crash in between can't issue two.
 */
import { join } from 'node:path';
import { filePath, required } from '@knsock/core/options';
import { withProcessLock, type HeldLock } from '../files/process-lock.js';
import { CertificateError } from '../errors.js';
import type { CertificateKind } from '../issuing/extensions.js';
import { parseName } from '../issuing/names.js';
import { FollowedLines } from './followed-lines.js';
import { requireStore } from './store-there.js';
import { appendLine, damagedLine } from './journal.js';

/** What a token allows. */
export interface TokenGrant {
  readonly id: string;
  /** SHA-256 of the secret, hex. */
  readonly hash: string;
  readonly kind: CertificateKind;
  /** Names that every certificate gets; `{name}` stands for the first one requested. */
  readonly names: readonly string[];
  /** Patterns of the names that a request may ask for in addition. */
  readonly allow: readonly string[];
  readonly commonName?: string | undefined;
  /** Validity of the certificate. */
  readonly days: number;
  /** How many keys it can certify. */
  readonly uses: number;
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
  | {
      readonly event: 'enrolled';
      readonly id: string;
      readonly at: number;
      readonly key: string;
      readonly from: string;
      readonly serial: string;
    }
  | { readonly event: 'withdrawn'; readonly id: string; readonly at: number }
  | { readonly event: 'barred' | 'admitted'; readonly at: number; readonly name: string };

/** A key that a token was bound to. */
interface Binding {
  readonly at: number;
  readonly from: string;
  /** Of its certificate, once issued. */
  readonly serial: string | undefined;
}

/** A token's state after reading the journal. */
export interface TokenState {
  readonly grant: TokenGrant;
  readonly created: number;
  /** By SHA-256 of the key, hex. */
  readonly bound: ReadonlyMap<string, Binding>;
  readonly withdrawn: boolean;
}

interface HeldState extends TokenState {
  readonly bound: Map<string, Binding>;
  withdrawn: boolean;
}

export class TokenJournal {
  readonly #directory: string;
  readonly #file: string;
  readonly #lock: string;
  readonly #lines: FollowedLines;
  readonly #tokens = new Map<string, HeldState>();
  readonly #barred = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws InvalidOptionError */
  constructor(directory: string) {
    required(filePath)('directory', directory);
    this.#directory = directory;
    this.#file = join(directory, 'tokens.jsonl');
    this.#lock = join(directory, '.tokens.lock');
    this.#lines = new FollowedLines(this.#file, {
      take: (line, number) => {
        this.#take(line, number);
      },
      reset: () => {
        this.#tokens.clear();
        this.#barred.clear();
      },
      absent: () => requireStore(directory),
    });
  }

  /** Runs `work` while no one else, in any process, enrols or changes tokens. Calls of this process are serialised. */
  exclusively<T>(work: (lock: HeldLock) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#turn.then(async () => {
      await requireStore(this.#directory);
      return withProcessLock(this.#lock, { timeout: 10_000, signal }, work);
    });
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** @throws CertificateError `KNSOCK_CERTIFICATE_STORE` for a damaged line */
  async find(id: string): Promise<TokenState | undefined> {
    await this.#lines.catchUp();
    return this.#tokens.get(id);
  }

  /** Every token, oldest first. @throws as `find` */
  async all(): Promise<TokenState[]> {
    await this.#lines.catchUp();
    return [...this.#tokens.values()];
  }

  /** The first of the names that is barred from renewal. @throws as `find` */
  async barred(names: readonly string[]): Promise<string | undefined> {
    await this.#lines.catchUp();
    return names.find((name) => this.#barred.has(canonical(name)));
  }

  /** Appends an event and flushes it. @throws CertificateError `KNSOCK_CERTIFICATE_LOCKED` if the lock was lost */
  async append(lock: HeldLock, event: TokenEvent): Promise<void> {
    await lock.check();
    await appendLine(this.#file, event);
  }

  #take(line: string, number: number): void {
    try {
      this.#apply(JSON.parse(line) as TokenEvent);
    } catch (cause) {
      throw damagedLine(this.#file, number, cause);
    }
  }

  #apply(event: TokenEvent): void {
    switch (event.event) {
      case 'created': {
        const { event: _, at, ...grant } = event;
        this.#tokens.set(grant.id, { grant, created: at, bound: new Map(), withdrawn: false });
        return;
      }
      case 'bound':
        this.#known(event.id).bound.set(event.key, { at: event.at, from: event.from, serial: undefined });
        return;
      case 'enrolled':
        this.#known(event.id).bound.set(event.key, { at: event.at, from: event.from, serial: event.serial });
        return;
      case 'withdrawn':
        this.#known(event.id).withdrawn = true;
        return;
      case 'barred':
        this.#barred.add(canonical(event.name));
        return;
      case 'admitted':
        this.#barred.delete(canonical(event.name));
        return;
      default:
        throw new TypeError('an unknown event');
    }
  }

  #known(id: string): HeldState {
    const state = this.#tokens.get(id);
    if (state === undefined) throw new TypeError(`the token ${id} was never created`);
    return state;
  }
}

/** As certificates have it; a common name may be any text. */
function canonical(name: string): string {
  try {
    return parseName(name).value;
  } catch (error) {
    if (error instanceof CertificateError) return name;
    throw error;
  }
}
