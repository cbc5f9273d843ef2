import { FailureReporter } from '../errors/failure-reporter.js';
import { callback } from './readers.js';

/** The option `onError`: what takes failures that no caller waits for; without one they become process warnings. */
export function failures(
  option: string,
  value: ((error: Error, context: never) => unknown) | undefined,
): FailureReporter {
  return new FailureReporter(callback(option, value) ?? null);
}
