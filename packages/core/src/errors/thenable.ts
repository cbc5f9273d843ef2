/** Whether what a callback returned is to be waited for, as `await` decides it: promises of other libraries count too. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  // Most callbacks return nothing or a boolean, in which `await` looks for no property either.
  if (typeof value !== 'object' && typeof value !== 'function') return false;
  try {
    return typeof (value as { then?: unknown } | null)?.then === 'function';
  } catch {
    // As for `await`, a getter that throws is a rejection: `follow` gives it to `failed`.
    return true;
  }
}

/**
 * Calls exactly one of the two, later, whatever the thenable does: one that throws in `then`, or calls back twice, may be
 * a program's own.
 */
export function follow<T>(
  work: PromiseLike<T>,
  done: ((value: T) => void) | undefined,
  failed: (error: unknown) => void,
): void {
  // A promise of this realm is returned as it is.
  Promise.resolve(work).then(done, failed);
}
