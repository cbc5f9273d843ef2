import { failures, noConnection } from '@knsock/core/options';

const warnings = failures('onError', undefined);

/** Receives what a listener of a signal passed to a program's function throws, if there is no `onError`. */
export function signalFailed(whose: string): (error: unknown) => void {
  return (error) => {
    warnings.report(error, noConnection, `a listener of the signal given to ${whose}`);
  };
}
