/** Continuous renewal in a running program. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EasySocketError } from '@knsock/core/errors';
import {
  abortSignal,
  backOffDelay,
  callback,
  failures,
  milliseconds,
  noConnection,
  readAllOptions,
  required,
  withDefault,
  type OptionReaders,
} from '@knsock/core/options';
import { CertificateError } from '../errors.js';
import type { Issued } from '../issuing/issue.js';
import { renew, renewOptions, runHook, type RenewOptions, type RenewResult } from './renew.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const UNEXPLAINED = 'Can the issuer be reached, and does it grant this? The cause is what it said.';
/** setTimeout's own limit is 24.8 days; a clock change is also noticed within a day. */
const LONGEST_WAIT = 24 * HOUR;

/** Options of `watchRenewal`. */
export interface WatchRenewalOptions extends Omit<RenewOptions, 'at' | 'force'> {
  /** Stops the watch. */
  readonly signal: AbortSignal;
  /** Called after each renewal; errors it throws or rejects with go to `onError`. */
  readonly onResult?: ((result: RenewResult) => void | Promise<void>) | undefined;
  /** Called after each failure, with the ms until the next attempt; default a process warning. */
  readonly onError?: ((error: CertificateError, retryIn: number) => void) | undefined;
  /** The first pause after a failure, in ms, doubled each time up to an hour, minus up to half of it at random; default 60,000. */
  readonly retryAfter?: number | undefined;
}

const { at: _at, force: _force, ...ofRenew } = renewOptions;

/** How each of them is read, and its default. */
export const watchRenewalOptions = {
  ...ofRenew,
  signal: required<AbortSignal>(abortSignal),
  onResult: callback<WatchRenewalOptions['onResult']>,
  onError: callback<WatchRenewalOptions['onError']>,
  retryAfter: withDefault<number>(milliseconds, MINUTE),
} as const satisfies OptionReaders<WatchRenewalOptions>;

/** The result of an attempt, and when to make the next. */
interface Outcome {
  readonly result: RenewResult | undefined;
  readonly error: CertificateError | undefined;
}

/**
 * Renews whenever the certificate is due, until the signal fires; then it resolves at once. Failures are reported to
 * `onError` and retried with increasing pauses; after a hook's failure only the hook is. It doesn't keep the process
 * alive. A failing callback doesn't stop the watch: a failure of `onError` itself is reported by a process warning.
 */
export async function watchRenewal(options: WatchRenewalOptions): Promise<void> {
  const { retryAfter } = readAllOptions(options, watchRenewalOptions);
  const { signal } = options;
  const hook = new PendingHook(options);
  let failed = 0;
  while (!signal.aborted) {
    const { result, error } = await attempt(options, hook);
    if (signal.aborted) return;
    failed = error === undefined ? 0 : failed + 1;
    const pause =
      error === undefined ? untilDue(result) : backOffDelay({ first: retryAfter, longest: HOUR }, failed);
    report(options, { result, error }, pause);
    await sleep(pause, undefined, { ref: false, signal }).catch(() => undefined);
  }
}

/** Calls the program's callback, whose failures must not end the watch. */
function report(options: WatchRenewalOptions, { result, error }: Outcome, pause: number): void {
  const { certFile, onResult, onError, signal } = options;
  const listener = onError && ((failure: Error) => onError(asCertificateError(failure), pause));
  const reporter = failures('onError', listener);
  const what = `the renewal of ${certFile}`;
  if (result?.renewed === true) reporter.run(() => passOn(onResult, result, certFile), noConnection, what);
  // The callback may have fired the signal.
  if (error !== undefined && !signal.aborted) reporter.report(error, noConnection, what);
}

async function passOn(
  onResult: WatchRenewalOptions['onResult'],
  result: RenewResult,
  certFile: string,
): Promise<void> {
  try {
    await onResult?.(result);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `onResult failed after the renewal of ${certFile}: ${why}`;
    throw new CertificateError('KNSOCK_CERTIFICATE_HOOK', message, { cause, file: certFile });
  }
}

/** The hook of a renewal, called until it succeeds: otherwise the program it reloads would keep the old certificate. */
class PendingHook {
  readonly #hook: WatchRenewalOptions['onRenewed'];
  readonly #file: string;
  #owed: Issued | undefined;

  constructor({ onRenewed, certFile }: WatchRenewalOptions) {
    this.#hook = onRenewed;
    this.#file = certFile;
  }

  owe(issued: Issued): Promise<void> {
    this.#owed = issued;
    return this.settle();
  }

  async settle(): Promise<void> {
    if (this.#owed === undefined) return;
    await runHook(this.#hook, this.#file, this.#owed);
    this.#owed = undefined;
  }
}

async function attempt(options: WatchRenewalOptions, hook: PendingHook): Promise<Outcome> {
  const { onResult: _result, onError: _error, retryAfter: _after, ...ofRenewal } = options;
  let result: RenewResult | undefined;
  try {
    await hook.settle();
    result = await renew({ ...ofRenewal, onRenewed: (issued) => hook.owe(issued) });
    return { result, error: result.renewed && result.dueAt <= new Date() ? dueAgain(result) : undefined };
  } catch (error) {
    return { result, error: asCertificateError(error) };
  }
}

/** An authority close to expiry, or a wrong clock: renewing every second would only fill the store. */
function dueAgain({ notAfter }: RenewResult): CertificateError {
  const message = `the new certificate is due again at once: it lives until ${notAfter.toISOString()} only`;
  const hint = 'Does its authority end soon? Renew that first; or set the clock right.';
  return new CertificateError('KNSOCK_CERTIFICATE_VALIDITY', message, { hint });
}

/** A custom issuer's own failure is wrapped: a network that is down, for example. */
function asCertificateError(cause: unknown): CertificateError {
  if (cause instanceof CertificateError) return cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  const hint = cause instanceof EasySocketError ? cause.hint : UNEXPLAINED;
  return new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', `the issuer failed: ${why}`, { cause, hint });
}

function untilDue(result: RenewResult | undefined): number {
  const wait = (result?.dueAt.getTime() ?? 0) - Date.now();
  return Math.min(Math.max(wait, 1_000), LONGEST_WAIT);
}
