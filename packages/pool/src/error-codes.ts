// Made from errors/*.yaml by `npm run format`: change it there.

interface CodeFacts {
  /** What to try next, in one sentence. */
  readonly hint: string;
  /** Whether the same call may succeed when simply repeated. */
  readonly retryable: boolean;
}

const final = (hint: string): CodeFacts => ({ hint, retryable: false });
const passing = (hint: string): CodeFacts => ({ hint, retryable: true });

/** Every code that the pool raises. */
export const codes = {
  KNSOCK_POOL_TIMEOUT: passing(
    'Is max too small for the load, is a holder keeping its lease too long (set leakThreshold), or does creating fail (see the last failure)?',
  ),
  KNSOCK_POOL_CLOSED: final(
    'The pool was closed; create a new one, or close it only after the last acquire.',
  ),
  KNSOCK_POOL_QUEUE_FULL: passing(
    'More callers wait than maxWaiters allows: shed load earlier, raise max, or raise maxWaiters.',
  ),
  KNSOCK_POOL_CREATE_TIMEOUT: final('create took longer than createTimeout; does it respect its signal?'),
  KNSOCK_POOL_UNUSABLE: passing(
    'Does the server end new connections at once, or does validate reject what create has just made?',
  ),
  KNSOCK_LEASE_RELEASED: final(
    "Release a lease once, and don't use its value afterwards; `use(fn)` does this automatically.",
  ),
} as const satisfies Record<string, CodeFacts>;

/** A stable name of a failure. */
export type PoolErrorCode = keyof typeof codes;
