/**
 * Takes failures that no caller waits for: of handlers and listeners, of calls nobody awaited, of work in the
 * background. They go to the program's `onError`, or else to a process warning. Reporting never throws.
 */
import { asError } from './as-error.js';
import { failureWarnings, type FailureWarnings, type Warnable } from './failure-warnings.js';
import { follow, isThenable } from './thenable.js';

/** Where something failed, as far as the reporter looks at it. */
export interface FailureContext {
  readonly connection: FailedConnection | null;
  readonly request: object | null;
}

interface FailedConnection {
  readonly id: number;
  readonly remote: { readonly address: string; readonly port: number } | null;
}

/** The option `onError`, whatever its messages are. */
type Listener = (error: Error, context: never) => unknown;

/** For failures that belong to no connection. */
export const noConnection: FailureContext = Object.freeze({ connection: null, request: null });

export class FailureReporter {
  readonly #listener: ((error: Error, context: FailureContext) => unknown) | null;
  readonly #warnings: FailureWarnings;

  constructor(listener: Listener | null, warnings = failureWarnings) {
    this.#listener = listener as ((error: Error, context: FailureContext) => unknown) | null;
    this.#warnings = warnings;
  }

  /**
   * @param thrown what was thrown, an error or not
   * @param what what failed, as the beginning of a sentence; default by the context
   */
  report(thrown: unknown, context: FailureContext, what = subjectOf(context)): void {
    const error = asError(thrown);
    if (this.#listener === null) {
      this.#warn(what, error, context, '. Set onError to handle such errors');
      return;
    }
    try {
      const handled = this.#listener(error, { connection: context.connection, request: context.request });
      if (isThenable(handled)) follow(handled, undefined, this.#failed(what, error, context));
    } catch (failure) {
      this.#failed(what, error, context)(failure);
    }
  }

  /** Runs a function whose failure reaches no caller: it is reported as by `report`. Never throws. */
  run(action: () => unknown, context: FailureContext, what?: string): void {
    const failed = (error: unknown): void => {
      this.report(error, context, what);
    };
    try {
      const running = action();
      if (isThenable(running)) follow(running, undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** A failing listener must not hide the error that it received. */
  #failed(what: string, error: Error, context: FailureContext): (failure: unknown) => void {
    return (failure) => {
      this.#warn('onError', asError(failure), context);
      this.#warn(what, error, context);
    };
  }

  #warn(what: string, error: Error, { connection }: FailureContext, advice = ''): void {
    const where = connection === null ? '' : placeOf(connection);
    try {
      this.#warnings.warn({ what, error, where, advice });
    } catch {
      this.#warnUnshown({ what, error: new Error("an error that can't be shown"), where, advice });
    }
  }

  #warnUnshown(failure: Warnable): void {
    try {
      this.#warnings.warn(failure);
    } catch {
      // A warning that can't be emitted can't be reported anywhere else.
    }
  }
}

function subjectOf({ connection, request }: FailureContext): string {
  if (request !== null) return 'a request handler';
  return connection === null ? 'work in the background' : "a connection's handler";
}

function placeOf({ id, remote }: FailedConnection): string {
  if (remote === null) return ` on connection ${id} with a local peer`;
  const { address, port } = remote;
  return ` on connection ${id} with ${address.includes(':') ? `[${address}]` : address}:${port}`;
}
