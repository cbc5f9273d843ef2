/** Messages and requests for subscribers; nothing is timed or counted where there are none. */
import { channels } from '../observe/channels.js';

/** Reports how a request ended. */
export type RequestEnd = (ok: boolean, error?: unknown) => void;

/** A message was sent or received; on framings without ids requests and answers are messages too. */
export function publishMessage(
  connection: { readonly id: number },
  direction: 'in' | 'out',
  bytes: number,
): void {
  if (channels.message.hasSubscribers)
    channels.message.publish({ connection: connection.id, direction, bytes });
}

/** Follows a request of ours to its answer. */
export function followAsked<T>({ id }: { readonly id: number }, answer: Promise<T>): Promise<T> {
  if (!channels.request.hasSubscribers) return answer;
  const ended = ending(id, 'out');
  // Observing isn't awaiting: a failure that no caller handles is still reported.
  void Promise.prototype.then.call(
    answer,
    () => {
      ended(true);
    },
    (error: unknown) => {
      ended(false, error);
    },
  );
  return answer;
}

/** The beginning of a peer's request; the function returned reports its end. Null where there are no subscribers. */
export function publishAnswering(connection: { readonly id: number }): RequestEnd | null {
  return channels.request.hasSubscribers ? ending(connection.id, 'in') : null;
}

function ending(connection: number, direction: 'in' | 'out'): RequestEnd {
  const started = performance.now();
  return (ok, error = null) => {
    channels.request.publish({ connection, direction, ok, ms: performance.now() - started, error });
  };
}
