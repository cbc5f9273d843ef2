import { asError } from '../errors/as-error.js';
import { follow, isThenable } from '../errors/thenable.js';
import type { Activity } from './activity.js';
import type { ConnectionEnd } from './connection-end.js';
import { promiseForLent, type Lending } from './lending.js';

interface ListeningConnection {
  readonly activity: Activity;
  readonly ending: Pick<ConnectionEnd, 'progress'>;
  readonly receiveQueue: { readonly lending: Lending | null; worked(): void };
  report(error: Error): void;
  /** Reports the failure, and ends the connection by it. */
  listenerFailed(error: unknown): void;
}

/** Gives a message to the program's listener. @returns whether it is still running; then the queue hears when it is done */
export function callListener(
  connection: ListeningConnection,
  listener: (message: never) => unknown,
  message: unknown,
): boolean {
  const { activity } = connection;
  const { reads } = activity;
  let work: unknown;
  try {
    work = listener(message as never);
  } catch (error) {
    connection.listenerFailed(error);
    return false;
  }
  if (!isThenable(work)) return false;
  if (connection.receiveQueue.lending !== null) {
    refuse(connection, work);
    return false;
  }
  const begun = activity.beginListener(reads);
  follow(
    work,
    () => {
      activity.endListener(begun);
      connection.receiveQueue.worked();
      connection.ending.progress();
    },
    (error) => {
      activity.endListener(begun);
      connection.listenerFailed(error);
    },
  );
  return true;
}

/** The work would look at memory that isn't its own any more; how it fails is reported all the same. */
function refuse(connection: ListeningConnection, work: PromiseLike<unknown>): void {
  follow(work, undefined, (error) => {
    connection.report(asError(error));
  });
  connection.listenerFailed(promiseForLent());
}
