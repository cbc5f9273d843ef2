import { failures, noConnection } from '@knsock/core/options';

const warnings = failures('onError', undefined);

/** Takes what a listener of a signal throws that a program's function was given, where there is no `onError`. */
export function signalFailed(whose: string): (error: unknown) => void {
  return (error) => {
    warnings.report(error, noConnection, `a listener of the signal given to ${whose}`);
  };
}
