import { failures, noConnection, reportingController } from '@knsock/core/options';
import { orAborted } from './or-aborted.js';

/** The work may be the program's own, which has no `onError` here. */
const warnings = failures('onError', undefined);

/**
 * Work that must end in so many milliseconds, and that the caller's signal ends too. Not by AbortSignal.any over
 * AbortSignal.timeout: Node may collect either before it fires (nodejs/node#57736, #65995), and then the wait has no end.
 * @throws what `late` makes where the time ran out, the caller's reason where that came first, or what the work threw
 */
export async function withinTime<T>(
  ms: number,
  caller: AbortSignal | undefined,
  work: (signal: AbortSignal) => T | Promise<T>,
  late: () => Error,
): Promise<T> {
  caller?.throwIfAborted();
  const controller = reportingController((error) => {
    warnings.report(error, noConnection, 'a listener of the signal given to an issuer');
  });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort(new DOMException(`the time of ${ms} ms is over`, 'TimeoutError'));
  }, ms).unref();
  const pass = () => {
    controller.abort(caller?.reason);
  };
  caller?.addEventListener('abort', pass, { once: true });
  try {
    return await orAborted(Promise.resolve(work(controller.signal)), controller.signal);
  } catch (cause) {
    throw isOver ? late() : cause;
  } finally {
    clearTimeout(timer);
    caller?.removeEventListener('abort', pass);
  }
}
