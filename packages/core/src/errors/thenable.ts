/** Whether what a callback returned is to be waited for, as `await` decides it: promises of other libraries count too. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
