/** Renewal as long as a program runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { backOff } from './back-off.js';
import { CertificateError } from './errors.js';
import { renew, type RenewOptions, type RenewResult } from './renew.js';

const MINUTE = 60_000;
/** setTimeout's own limit is 24.8 days; a clock that was set is noticed within the day too. */
const LONGEST_WAIT = 24 * 60 * MINUTE;

/** Options of `watchRenewal`. */
export interface WatchRenewalOptions extends Omit<RenewOptions, 'at' | 'force'> {
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Called after each renewal. */
  readonly onResult?: ((result: RenewResult) => void) | undefined;
  /** Called after each failure, with the ms until the next attempt. */
  readonly onError?: ((error: CertificateError, retryIn: number) => void) | undefined;
  /** The first pause after a failure, in ms, doubled each time up to an hour; default 60,000. */
  readonly retryAfter?: number | undefined;
}

/**
 * Renews whenever the certificate is due, until the signal fires; then it resolves. Failures are told to `onError` and
 * tried again after a growing pause. It doesn't keep the process alive by itself.
 */
export async function watchRenewal(options: WatchRenewalOptions): Promise<void> {
  let failures = 0;
  while (!options.signal.aborted) {
    const outcome = await attempt(options);
    if (options.signal.aborted) return;
    failures = outcome instanceof CertificateError ? failures + 1 : 0;
    const pause =
      outcome instanceof CertificateError
        ? backOff(options.retryAfter ?? MINUTE, failures)
        : untilDue(outcome);
    if (outcome instanceof CertificateError) options.onError?.(outcome, pause);
    else if (outcome.renewed) options.onResult?.(outcome);
    await sleep(pause, undefined, { ref: false, signal: options.signal }).catch(() => undefined);
  }
}

async function attempt(options: WatchRenewalOptions): Promise<RenewResult | CertificateError> {
  try {
    return await renew(options);
  } catch (error) {
    if (error instanceof CertificateError) return error;
    // A custom issuer's own failure: a network that is down, for example.
    const why = error instanceof Error ? error.message : String(error);
    return new CertificateError('KNSOCK_CERTIFICATE_UNREACHABLE', `the issuer failed: ${why}`, {
      cause: error,
    });
  }
}

function untilDue({ dueAt }: RenewResult): number {
  return Math.min(Math.max(dueAt.getTime() - Date.now(), 1_000), LONGEST_WAIT);
}
