import { EasySocketError, InvalidOptionError } from '../errors/index.js';

/** Prepares failures of a connection's calls: adds the peer's address, and reports them where the call isn't awaited. */
export interface CallFailures {
  /** The same error, its message with the peer's address. */
  named<E extends Error>(error: E): E;
  /** @param call what failed, such as `a request` */
  unawaited(error: Error, call: string): void;
}

/** For parts used without a connection. */
export const standingAlone: CallFailures = { named: (error) => error, unawaited: () => undefined };

/** Why a second consumer is refused. @param of what it wants to consume */
export function consumed(
  failures: Pick<CallFailures, 'named'>,
  of: 'messages' | 'requests',
  why: string,
): EasySocketError {
  const message = `the ${of} of this connection have a consumer already: ${why}`;
  return failures.named(new EasySocketError('KNSOCK_CONSUMED', message));
}

/** On raw: such a request would wait for its whole timeout. */
export function emptyRequest(): Error {
  const words = 'an empty request has no bytes on raw, so the peer would never learn of it';
  return new InvalidOptionError('message', words);
}
