/** Renews in time: when the CA suggests it (RFC 9773), else after a fraction of the validity. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backOffDelay } from '@knsock/core/options';
import type { X509Certificate } from '@knsock/core/x509';
import { renewalDate } from '../renewal/renewal.js';
import { fetchDirectory } from './acme-client.js';
import { AcmeError } from './acme-error.js';
import { AFTER_FAILURE, fetchSuggestion, renewalId, type RenewalSuggestion } from './renewal-info.js';
import type { TransportOptions } from './transport.js';

const HOUR = 3_600_000;
/** A change of the clock is noticed within that. */
const LONGEST_WAIT = 24 * HOUR;
const SHORTEST_WAIT = 1_000;
/** CAs allow a few failed validations an hour. */
const LONGEST_BACK_OFF = 6 * HOUR;
/** The least between two renewals, as a fraction of a certificate's life: it might be due again at once, for ever. */
const LEAST_USED = 1 / 10;

/** What the schedule renews. */
export interface ScheduleHost {
  readonly directory: string;
  readonly transport: TransportOptions;
  readonly renewAt: number;
  /** The first pause after a failure, in ms. */
  readonly retryAfter: number;
  /** The certificate that is in place; another process may have renewed it. */
  readonly leaf: () => Promise<X509Certificate>;
  readonly renew: (old: X509Certificate) => Promise<void>;
  /** Receives the failure of a renewal. */
  readonly failed: (error: Error) => void;
  /** Receives the failure to learn when the CA wants the renewal; the validity decides then. */
  readonly unadvised: (error: Error) => void;
}

interface HeldSuggestion extends RenewalSuggestion {
  /** The certificate's fingerprint. */
  readonly of: string;
  /** When it was received, in ms since 1970. */
  readonly at: number;
}

export class RenewalSchedule {
  readonly #host: ScheduleHost;
  readonly #signal: AbortSignal;
  #suggestion: HeldSuggestion | undefined;
  #failures = 0;
  #notBefore = 0;

  constructor(host: ScheduleHost, signal: AbortSignal) {
    this.#host = host;
    this.#signal = signal;
  }

  /** When a certificate is due, as far as it is known. */
  dueAt(certificate: X509Certificate): Date {
    const due = this.#current(certificate)?.dueAt ?? renewalDate(certificate, this.#host.renewAt);
    return new Date(Math.max(due.getTime(), this.#notBefore));
  }

  explanationUrl(certificate: X509Certificate): string | undefined {
    return this.#current(certificate)?.explanationUrl;
  }

  /** Renews until the signal fires. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      const pause = await this.#step().catch((error: unknown) => this.#fail(error));
      await this.#pause(pause);
    }
  }

  /** @returns ms until the next step */
  async #step(): Promise<number> {
    const leaf = await this.#host.leaf();
    await this.#ask(leaf);
    const wait = this.dueAt(leaf).getTime() - Date.now();
    if (wait > 0) return Math.min(wait, this.#untilNextLook(), LONGEST_WAIT);
    await this.#host.renew(leaf);
    this.#failures = 0;
    const life = leaf.notAfter.getTime() - leaf.notBefore.getTime();
    this.#notBefore = Date.now() + Math.min(life * LEAST_USED, HOUR);
    return SHORTEST_WAIT;
  }

  #fail(error: unknown): number {
    if (this.#signal.aborted) return 0;
    this.#failures += 1;
    const { retryAfter: first } = this.#host;
    const pause = backOffDelay({ first, longest: Math.max(first, LONGEST_BACK_OFF) }, this.#failures);
    const told = error instanceof AcmeError ? (error.retryAt?.getTime() ?? 0) : 0;
    this.#notBefore = Math.max(Date.now() + pause, told);
    this.#host.failed(error as Error);
    return Math.min(this.#notBefore - Date.now(), LONGEST_WAIT);
  }

  /** Asks for a suggestion where it is time to; without one the validity decides. */
  async #ask(leaf: X509Certificate): Promise<void> {
    if (this.#current(leaf) !== undefined && this.#untilNextLook() > 0) return;
    const of = leaf.fingerprint256;
    try {
      const suggestion = await this.#fetch(leaf);
      this.#suggestion = suggestion && { ...suggestion, of, at: Date.now() };
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#host.unadvised(error as Error);
      const kept = this.#current(leaf);
      const dueAt = kept?.dueAt ?? renewalDate(leaf, this.#host.renewAt);
      const explanationUrl = kept?.explanationUrl;
      this.#suggestion = { dueAt, explanationUrl, lookAgainIn: AFTER_FAILURE, of, at: Date.now() };
    }
  }

  async #fetch(leaf: X509Certificate): Promise<RenewalSuggestion | undefined> {
    const { directory, transport } = this.#host;
    const id = renewalId(leaf);
    if (id === undefined) return undefined;
    const { renewalInfo } = await fetchDirectory(directory, { ...transport, signal: this.#signal });
    if (renewalInfo === undefined) return undefined;
    return fetchSuggestion(renewalInfo, leaf, id, { ...transport, signal: this.#signal });
  }

  #current({ fingerprint256 }: X509Certificate): HeldSuggestion | undefined {
    return this.#suggestion?.of === fingerprint256 ? this.#suggestion : undefined;
  }

  #untilNextLook(): number {
    if (this.#suggestion === undefined) return LONGEST_WAIT;
    return Math.max(this.#suggestion.at + this.#suggestion.lookAgainIn - Date.now(), 0);
  }

  async #pause(ms: number): Promise<void> {
    const limit = Math.max(ms, SHORTEST_WAIT);
    await sleep(limit, undefined, { ref: false, signal: this.#signal }).catch(() => undefined);
  }
}
